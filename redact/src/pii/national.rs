//! Owns identity numbers that are told by their own form: letters or separators in fixed places,
//! with a checksum.
//! Accepts a whole token; emits it where one of the forms fits; promises a look per form at most.

use super::checksum;

/// Whether a token without blanks is an identity number.
pub(crate) fn is_national(token: &[u8]) -> bool {
    let Some((&first, &last)) = token.first().zip(token.last()) else { return false };
    let inner_digits = |from: usize, to: usize| token[from..to].iter().all(u8::is_ascii_digit);
    match token.len() {
        9 if last.is_ascii_uppercase() && inner_digits(1, 8) => match first {
            b'X' | b'Y' | b'Z' => checksum::es_nif(token),
            b'S' | b'T' | b'F' | b'G' | b'M' => checksum::sg_nric(token),
            b'0'..=b'9' => checksum::es_nif(token),
            _ => false,
        },
        10 if token[8] == b'-' && last.is_ascii_uppercase() && inner_digits(0, 8) => {
            checksum::es_nif(token)
        }
        11 if inner_digits(0, 6) && !token[6].is_ascii_digit() && inner_digits(7, 10) => {
            checksum::fi_hetu(token)
        }
        // 123.456.789-09
        14 if token[3] == b'.' && token[7] == b'.' && token[11] == b'-' => checksum::cpf(token),
        // 123456-1234567
        14 if token[6] == b'-' && inner_digits(0, 6) && inner_digits(7, 14) => {
            checksum::kr_rrn(token)
        }
        16 if is_uk_driver(token) => true,
        16 if first.is_ascii_uppercase() && last.is_ascii_uppercase() => {
            checksum::it_fiscal_code(token) || token[3] == b'.' && checksum::ch_ahv(token)
        }
        // 756.1234.5678.97
        16 if token[3] == b'.' && token[8] == b'.' => checksum::ch_ahv(token),
        // 12.345.678/0001-95
        18 if token[2] == b'.' && token[6] == b'.' && token[10] == b'/' && token[15] == b'-' => {
            checksum::cnpj(token)
        }
        11 if token.starts_with(b"DE") && inner_digits(2, 11) => checksum::de_vat(token),
        11 | 13 if is_mbi(token) => true,
        15 if is_gstin(token) => true,
        18 if inner_digits(0, 17) => checksum::cn_id(token),
        _ => false,
    }
}

/// Whether a token has a shape: `9` a digit, `A` a capital, `X` either, anything else itself.
fn has_shape(token: &[u8], shape: &[u8]) -> bool {
    token.len() == shape.len()
        && token.iter().zip(shape).all(|(byte, class)| match class {
            b'9' => byte.is_ascii_digit(),
            b'A' => byte.is_ascii_uppercase(),
            b'X' => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
            literal => byte == literal,
        })
}

/// United States Medicare beneficiary numbers (CMS): letters without S, L, O, I, B, Z.
fn is_mbi(token: &[u8]) -> bool {
    (has_shape(token, b"9AX9AX9AA99") || has_shape(token, b"9AX9-AX9-AA99"))
        && token[0] != b'0'
        && !token.iter().any(|byte| b"SLOIBZ".contains(byte))
}

/// Indian GST numbers: a state from 01 to 38, a tax number, `Z`.
fn is_gstin(token: &[u8]) -> bool {
    has_shape(token, b"99AAAAA9999AXZX")
        && matches!(
            token.first_chunk::<2>(),
            Some([b'0', b'1'..=b'9'] | [b'1' | b'2', _] | [b'3', b'0'..=b'8'])
        )
}

/// British driving licences (DVLA): five letters of the name, filled with 9, the date of birth.
fn is_uk_driver(token: &[u8]) -> bool {
    let name = token[..5].iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'9');
    let month =
        matches!((token[6], token[7]), (b'0' | b'5', b'1'..=b'9') | (b'1' | b'6', b'0'..=b'2'));
    let day = matches!(
        (token[8], token[9]),
        (b'0', b'1'..=b'9') | (b'1' | b'2', b'0'..=b'9') | (b'3', b'0' | b'1')
    );
    name && token[0] != b'9' && month && day && has_shape(&token[5..], b"999999XXXAA")
}
