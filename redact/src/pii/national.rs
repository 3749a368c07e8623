//! Owns identity numbers that are told by their own form: letters or separators in fixed places,
//! with a checksum.
//! Accepts a whole token; emits it where one of the forms fits; promises a look per form at most.

use super::checksum;
use crate::Kind;

/// What a token without blanks is, if it is an identity number.
pub(super) fn kind_of(token: &[u8]) -> Option<Kind> {
    let (&first, &last) = token.first().zip(token.last())?;
    let digits = |from: usize, to: usize| token[from..to].iter().all(u8::is_ascii_digit);
    let when = |fits: bool, kind: Kind| fits.then_some(kind);
    match token.len() {
        9 if last.is_ascii_uppercase() && digits(1, 8) => when(
            match first {
                b'5' if checksum::sg_business(token) => return Some(Kind::TaxId),
                b'X' | b'Y' | b'Z' | b'0'..=b'9' => checksum::es_nif(token),
                b'S' | b'T' | b'F' | b'G' | b'M' => checksum::sg_nric(token),
                _ => false,
            },
            Kind::NationalId,
        ),
        // 1111111-G
        9 if token[7] == b'-' && last.is_ascii_uppercase() && digits(0, 7) => {
            when(checksum::es_nif(token), Kind::NationalId)
        }
        // 12345678-Z, Y8063915-Z
        10 if token[8] == b'-' && last.is_ascii_uppercase() && digits(1, 8) => {
            when(checksum::es_nif(token), Kind::NationalId)
        }
        10 if has_shape(token, b"AAAAA9999A") => when(is_pan(token), Kind::TaxId),
        10 if has_shape(token, b"A99AA9999A") || digits(0, 9) => {
            when(last.is_ascii_uppercase() && checksum::sg_uen(token), Kind::TaxId)
        }
        11 if digits(0, 6) && !token[6].is_ascii_digit() && digits(7, 10) => {
            when(checksum::fi_hetu(token) && !is_time(token), Kind::NationalId)
        }
        11 if token.starts_with(b"DE") && digits(2, 11) => {
            when(checksum::de_vat(token), Kind::TaxId)
        }
        11 | 13 if is_mbi(token) => Some(Kind::MedicalId),
        // 15070649C103
        12 if digits(0, 8) && token[8].is_ascii_uppercase() && digits(9, 12) => {
            when(checksum::de_social_security(token), Kind::NationalId)
        }
        // 123.456.789-09
        14 if token[3] == b'.' && token[7] == b'.' && token[11] == b'-' => {
            when(checksum::cpf(token), Kind::NationalId)
        }
        15 if is_gstin(token) => Some(Kind::TaxId),
        16 if is_uk_driver(token) => Some(Kind::DriverLicence),
        16 if first.is_ascii_uppercase() && last.is_ascii_uppercase() => {
            when(checksum::it_fiscal_code(token), Kind::NationalId)
        }
        // 756.1234.5678.97
        16 if token[3] == b'.' && token[8] == b'.' => {
            when(checksum::ch_ahv(token), Kind::NationalId)
        }
        // 12.345.678/0001-95
        18 if token[2] == b'.' && token[6] == b'.' && token[10] == b'/' && token[15] == b'-' => {
            when(checksum::cnpj(token), Kind::TaxId)
        }
        18 if has_shape(token, b"AAAA999999AAAAAAX9") => {
            when(checksum::mx_curp(token), Kind::NationalId)
        }
        18 if digits(0, 17) => when(checksum::cn_id(token), Kind::NationalId),
        _ => None,
    }
}

/// Whether a token is rather a day of this century and a time: `240115-0930`.
fn is_time(token: &[u8]) -> bool {
    let number = |from: usize| (token[from] - b'0') * 10 + (token[from + 1] - b'0');
    token[6] == b'-'
        && token[7..].iter().all(u8::is_ascii_digit)
        && (10..=39).contains(&number(0))
        && (1..=12).contains(&number(2))
        && number(7) < 24
        && number(9) < 60
}

/// Whether the fourth letter of an Indian tax number is a kind of holder (Income Tax Department).
fn is_pan(token: &[u8]) -> bool {
    b"ABCFGHJLPT".contains(&token[3])
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
