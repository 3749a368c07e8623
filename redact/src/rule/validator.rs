//! Owns checks of a value beyond its form: checksums and structures that its issuer documents.
//! Accepts the bytes of a value; emits whether they fit; promises no allocation beyond the value.

use crate::pii::checksum;

/// Whether a value passes.
type Check = fn(&[u8]) -> bool;

/// Checks of numbers, which a value must pass to be a match.
const CHECKSUMS: &[(&str, Check)] = &[
    ("ssn", checksum::ssn),
    ("npi", checksum::npi),
    ("dea", checksum::dea),
    ("aba", checksum::aba),
    ("nino", checksum::nino),
    ("nhs", checksum::nhs),
    ("de-tax-id", checksum::de_tax_id),
    ("de-vat", checksum::de_vat),
    ("de-social-security", checksum::de_social_security),
    ("de-health", checksum::de_health),
    ("fr-nir", checksum::fr_nir),
    ("luhn", checksum::luhn_value),
    ("luhn-nonzero", checksum::luhn_nonzero),
    ("es-nif", checksum::es_nif),
    ("es-ssn", checksum::es_ssn),
    ("de-lanr", checksum::de_lanr),
    ("uk-utr", checksum::uk_utr),
    ("es-cif", checksum::es_cif),
    ("pl-regon", checksum::pl_regon),
    ("ro-cnp", checksum::ro_cnp),
    ("cz-rc", checksum::cz_rc),
    ("bg-egn", checksum::bg_egn),
    ("hr-oib", checksum::hr_oib),
    ("baltic", checksum::baltic),
    ("gr-amka", checksum::gr_amka),
    ("eu-vat", checksum::eu_vat),
    ("mx-curp", checksum::mx_curp),
    ("ch-ahv", checksum::ch_ahv),
    ("cn-id", checksum::cn_id),
    ("sg-uen", checksum::sg_uen),
    ("nl-bsn", checksum::nl_bsn),
    ("be-nn", checksum::be_nn),
    ("pesel", checksum::pesel),
    ("nip", checksum::nip),
    ("pt-nif", checksum::pt_nif),
    ("ie-pps", checksum::ie_pps),
    ("at-svnr", checksum::at_svnr),
    ("no-fnr", checksum::no_fnr),
    ("se-pnr", checksum::se_pnr),
    ("fi-hetu", checksum::fi_hetu),
    ("verhoeff", checksum::verhoeff),
    ("cpf", checksum::cpf),
    ("cnpj", checksum::cnpj),
    ("tfn", checksum::tfn),
    ("abn", checksum::abn),
    ("acn", checksum::acn),
    ("au-medicare", checksum::au_medicare),
    ("nz-ird", checksum::nz_ird),
    ("tckn", checksum::tckn),
    ("th-id", checksum::th_id),
    ("kr-brn", checksum::kr_brn),
    ("cl-rut", checksum::cl_rut),
    ("ar-cuit", checksum::ar_cuit),
    ("ru-inn", checksum::ru_inn),
    ("ru-snils", checksum::ru_snils),
    ("ua-rnokpp", checksum::ua_rnokpp),
    ("lv-code", checksum::lv_code),
    ("hu-person", checksum::hu_person),
    ("is-kennitala", checksum::is_kennitala),
    ("jmbg", checksum::jmbg),
    ("tw-id", checksum::tw_id),
    ("jp-individual", checksum::jp_individual),
    ("ir-code", checksum::ir_code),
    ("eg-id", checksum::eg_id),
    ("ae-id", checksum::ae_id),
    ("id-nik", checksum::id_nik),
    ("kz-iin", checksum::kz_iin),
    ("hk-id", checksum::hk_id),
    ("co-nit", checksum::co_nit),
    ("pe-ruc", checksum::pe_ruc),
    ("ec-id", checksum::ec_id),
    ("uy-ci", checksum::uy_ci),
    ("random", crate::context::is_machine_made),
    ("random-token", crate::context::is_random_token),
    ("seed-words", are_seed_words),
    ("digit-within", |value| value.iter().any(u8::is_ascii_digit)),
    ("small-letters", |value| value.iter().filter(|b| b.is_ascii_lowercase()).count() >= 5),
    ("four-digits", |value| checksum::has_digits(value, 4)),
    ("five-digits", |value| checksum::has_digits(value, 5)),
];

/// A check that a rule names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Validator {
    /// GitHub's and npm's last six characters: CRC-32 of the rest in base 62
    /// (GitHub, "Behind GitHub's new authentication token formats", 2021).
    Crc32Base62,
    /// The first part decodes to a JSON object with `alg` or `typ` (RFC 7519).
    JwtHeader,
    /// As `JwtHeader`, for a form that is not distinctive without it.
    JweHeader,
    /// A number's check digits.
    Checksum(Check),
}

impl Validator {
    /// The validator of that name.
    pub(crate) fn from_label(label: &str) -> Option<Validator> {
        Some(match label {
            "crc32-base62" => Validator::Crc32Base62,
            "jwt-header" => Validator::JwtHeader,
            "jwe-header" => Validator::JweHeader,
            _ => {
                let (_, check) = CHECKSUMS.iter().find(|(name, _)| *name == label)?;
                Validator::Checksum(*check)
            }
        })
    }

    /// Whether the value passes.
    pub(crate) fn passes(self, value: &[u8]) -> bool {
        match self {
            Validator::Crc32Base62 => crc32_base62(value),
            Validator::JwtHeader | Validator::JweHeader => jwt_header(value),
            Validator::Checksum(check) => check(value),
        }
    }

    /// Whether a value that does not pass is no match at all.
    pub(crate) fn is_strict(self) -> bool {
        match self {
            Validator::Crc32Base62 | Validator::JwtHeader => false,
            Validator::JweHeader | Validator::Checksum(_) => true,
        }
    }
}

/// Whether words may be those that a wallet is restored from (BIP-39): a number of them that there
/// may be, hardly one twice, and none of those that no list of BIP-39 has and every sentence does.
fn are_seed_words(value: &[u8]) -> bool {
    const PROSE: &[&[u8]] = &[
        b"the", b"and", b"are", b"for", b"from", b"with", b"which", b"your", b"not", b"was",
        b"has", b"its", b"into", b"them", b"each", b"been", b"were",
    ];
    let words = || {
        let is_between = |b: &u8| matches!(b, b' ' | b'\t' | b',');
        value.split(is_between).filter(|word| !word.is_empty())
    };
    let distinct: std::collections::BTreeSet<&[u8]> = words().collect();
    let count = words().count();
    matches!(count, 12 | 15 | 18 | 21 | 24)
        && (distinct.len() + 4 >= count || distinct.len() <= 2)
        && !words().any(|word| PROSE.contains(&word))
}

fn crc32_base62(value: &[u8]) -> bool {
    let start = value.iter().rposition(|&b| b == b'_').map_or(0, |at| at + 1);
    let Some(cut) = value.len().checked_sub(6).filter(|&cut| cut > start) else { return false };
    let sum = value[cut..].iter().try_fold(0_u64, |sum, &b| Some(sum * 62 + base62(b)?));
    sum == Some(u64::from(crc32(&value[start..cut])))
}

fn base62(byte: u8) -> Option<u64> {
    Some(u64::from(match byte {
        b'0'..=b'9' => byte - b'0',
        b'A'..=b'Z' => byte - b'A' + 10,
        b'a'..=b'z' => byte - b'a' + 36,
        _ => return None,
    }))
}

/// CRC-32 as in ISO 3309.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| {
            (sum >> 1) ^ (0xEDB8_8320 & 0_u32.wrapping_sub(sum & 1))
        })
    })
}

fn jwt_header(value: &[u8]) -> bool {
    let first = value.split(|&b| b == b'.').next().unwrap_or_default();
    let head = &first[..first.len().min(512) / 4 * 4];
    let decoded = base64_prefix(head);
    let squeezed: Vec<u8> = decoded.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    squeezed.starts_with(b"{\"")
        && [&b"\"alg\""[..], b"\"typ\"", b"\"enc\"", b"\"kid\""]
            .iter()
            .any(|name| memchr::memmem::find(&squeezed, name).is_some())
}

/// Decodes base64 or base64url as far as it goes.
pub(crate) fn base64_prefix(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0);
    for &byte in text {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => break,
        };
        bits = bits << 6 | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_crc32() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn knows_jwt_headers() {
        assert!(jwt_header(b"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.x"));
        assert!(!jwt_header(b"eyJzdWIiOiIxMjM0NTY3ODkwIn0.e30.x"));
    }
}
