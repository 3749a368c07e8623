//! Every check against numbers that its issuer, its standard or a reference implementation shows,
//! and the law that a changed digit fails.

use super::*;
use proptest::prelude::*;

type Check = fn(&[u8]) -> bool;

/// How much a check promises.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Finds {
    /// Any one changed digit.
    Any,
    /// A changed check digit, the last one. Its weights share a factor with its modulus, or two
    /// rests share a digit.
    Last,
    /// As `Last`, with the check digit at that place.
    At(usize),
}

use Finds::{Any, At, Last};

/// Name, check, what it finds, and numbers that pass.
const CHECKS: &[(&str, Check, Finds, &[&str])] = &[
    // ISO/IEC 7812-1; the card brands' documented test numbers.
    ("luhn", luhn_value, Any, &["4111111111111111", "378282246310005", "79927398713"]),
    // CMS, "Requirements for NPI and check digit".
    ("npi", npi, Any, &["1234567893", "1245319599"]),
    // 21 CFR 1301; the common example.
    ("dea", dea, Last, &["AB1234563"]),
    // American Bankers Association; numbers of the Federal Reserve and of Wells Fargo.
    ("aba", aba, Any, &["011000015", "121042882"]),
    // NHS data dictionary, "NHS NUMBER".
    ("nhs", nhs, Any, &["943 476 5919", "401 023 2137"]),
    // HMRC, by python-stdnum's gb.utr.
    ("uk-utr", uk_utr, At(0), &["1955839661"]),
    // Bundeszentralamt für Steuern, test numbers for developers of ELSTER.
    ("de-tax-id", de_tax_id, Any, &["86095742719", "47036892816", "65929970489"]),
    ("de-tax-id-strict", de_tax_id_strict, Any, &["86095742719", "47036892816"]),
    ("de-vat", de_vat, Any, &["136695976"]),
    // Deutsche Rentenversicherung, its example.
    ("de-social-security", de_social_security, Last, &["15070649C103"]),
    ("de-health", de_health, Last, &["A000500015"]),
    ("de-lanr", de_lanr, At(6), &["123456601"]),
    // INSEE, its example, and one of Corsica.
    ("fr-nir", fr_nir, Any, &["255081416802538", "2 55 08 14 168 025 38"]),
    // Ministerio del Interior, its examples.
    ("es-nif", es_nif, Last, &["12345678Z", "X1234567L", "Y1234567X", "Z1234567R"]),
    ("es-cif", es_cif, Last, &["A58818501", "B58378431"]),
    ("es-ssn", es_ssn, Any, &["281234567840"]),
    // The usual example; and that of DM 12 March 1974.
    ("it-fiscal-code", it_fiscal_code, Last, &["RSSMRA85T10A562S", "MRTMTT25D09F205Z"]),
    // RvIG, test numbers.
    ("nl-bsn", nl_bsn, Any, &["111222333", "123456782"]),
    ("be-nn", be_nn, Any, &["85.07.30-033.28", "17073003384"]),
    ("pesel", pesel, Last, &["44051401458", "02070803628"]),
    ("nip", nip, Any, &["123-456-32-18", "8567346215"]),
    ("pl-regon", pl_regon, Last, &["192598184", "12345678512347"]),
    ("pt-nif", pt_nif, Last, &["501964843", "123456789"]),
    ("ie-pps", ie_pps, Last, &["1234567T", "6433435F"]),
    ("at-svnr", at_svnr, Any, &["1237010180"]),
    ("no-fnr", no_fnr, Any, &["15021951940", "15108695088"]),
    ("se-pnr", se_pnr, Last, &["189004119807", "8803200016"]),
    // Digital and Population Data Services Agency, its example.
    ("fi-hetu", fi_hetu, Last, &["131052-308T", "010594Y9032"]),
    ("ro-cnp", ro_cnp, Last, &["1630615123457"]),
    ("cz-rc", cz_rc, Last, &["710319/2745"]),
    ("bg-egn", bg_egn, Last, &["7523169263"]),
    ("hr-oib", hr_oib, Any, &["33392005961"]),
    ("baltic", baltic, Last, &["36805280109", "33309240064"]),
    ("gr-amka", gr_amka, Last, &["01013099997"]),
    // Zentrale Ausgleichsstelle, its example.
    ("ch-ahv", ch_ahv, Any, &["756.9217.0769.85"]),
    // Verhoeff 1969, its example; UIDAI's example.
    ("verhoeff", verhoeff, Any, &["2363", "3998 7654 3211"]),
    ("cpf", cpf, Last, &["111.444.777-35", "529.982.247-25"]),
    ("cnpj", cnpj, Last, &["11.222.333/0001-81"]),
    ("cl-rut", cl_rut, Last, &["12.531.909-2", "12.345.678-5"]),
    ("ar-cuit", ar_cuit, Last, &["20-05536168-2", "20-12345678-6"]),
    ("mx-curp", mx_curp, Last, &["BOXW310820HNERXN09"]),
    // Australian Taxation Office; Australian Business Register; ASIC, "ACN check digit".
    ("tfn", tfn, Any, &["123 456 782", "876 543 210"]),
    ("abn", abn, Any, &["51 824 753 556"]),
    ("acn", acn, Last, &["000 000 019", "005 499 981", "010 499 966"]),
    ("au-medicare", au_medicare, At(9), &["2123 45670 1"]),
    // Inland Revenue, "Resident withholding tax specification", its examples.
    ("nz-ird", nz_ird, Last, &["49-091-850", "35-901-981", "136-410-132"]),
    ("tckn", tckn, Last, &["10000000146"]),
    ("th-id", th_id, Last, &["1-2345-67890-12-1"]),
    ("kr-brn", kr_brn, Last, &["104-86-56659"]),
    ("kr-rrn", kr_rrn, Last, &["960121-1021413"]),
    ("sg-nric", sg_nric, Last, &["S1234567D", "T1234567J", "F1234567N", "G1234567X"]),
    ("sg-uen", sg_uen, Last, &["201434292D", "T16RF0037C"]),
    // GB 11643-1999, its example.
    ("cn-id", cn_id, Last, &["11010519491231002X"]),
    // Of python-stdnum's ru.inn, ua.rntrc, is_.kennitala, si.emso, co.nit, pe.ruc and ec.ci.
    ("ru-inn", ru_inn, Last, &["171330229013", "7251027346"]),
    ("ua-rnokpp", ua_rnokpp, Last, &["3490035040", "3408323134"]),
    ("is-kennitala", is_kennitala, At(8), &["120174-2150", "1201748940"]),
    ("jmbg", jmbg, Last, &["0101006500170", "0101006500405"]),
    ("co-nit", co_nit, Last, &["325905591", "3740461409"]),
    ("pe-ruc", pe_ruc, Last, &["20744323615", "20044171784"]),
    ("ec-id", ec_id, Last, &["1716413172", "1713570800"]),
    // Social Fund of Russia, resolution 192p, its example.
    ("ru-snils", ru_snils, Last, &["112-233-445 95"]),
    ("lv-code", lv_code, Last, &["150875-17370"]),
    // The usual examples.
    ("tw-id", tw_id, Last, &["A123456789"]),
    ("hk-id", hk_id, Last, &["A1234563", "AB9876543"]),
    ("jp-individual", jp_individual, Last, &["123456789018"]),
    ("ir-code", ir_code, Last, &["0499370899"]),
    ("uy-ci", uy_ci, Last, &["12345672"]),
    ("hu-person", hu_person, Last, &["8123456786"]),
    ("kz-iin", kz_iin, Last, &["850101300015"]),
    ("ae-id", ae_id, Last, &["784-1980-1234567-8"]),
    ("sg-business", sg_business, Last, &["53125226D"]),
];

/// European VAT numbers of companies, as their sites show them.
const VAT_NUMBERS: &[&str] = &[
    "ATU13585627",
    "BE0428759497",
    "DE136695976",
    "DK13585628",
    "ESB58378431",
    "FI20774740",
    "FR40303265045",
    "GB980780684",
    "HR33392005961",
    "IT00743110157",
    "LU15027442",
    "NL004495445B01",
    "PL8567346215",
    "PT501964843",
    "SE123456789701",
];

/// The same number with the digit or letter at a place changed by `by`, one to nine.
fn changed(number: &str, place: usize, by: u8) -> Vec<u8> {
    let mut out = number.as_bytes().to_vec();
    out[place] = match out[place] {
        digit @ b'0'..=b'9' => b'0' + (digit - b'0' + by) % 10,
        letter => b'A' + (letter - b'A' + by) % 26,
    };
    out
}

fn places(number: &str) -> Vec<usize> {
    number.bytes().enumerate().filter(|(_, b)| b.is_ascii_digit()).map(|(at, _)| at).collect()
}

#[test]
fn known_numbers_pass_and_others_do_not() {
    for (name, check, finds, numbers) in CHECKS {
        for number in *numbers {
            assert!(check(number.as_bytes()), "{name} {number}");
            let place = if let At(place) = *finds { place } else { number.len() - 1 };
            for by in 1..10 {
                let other = changed(number, place, by);
                assert!(!check(&other), "{name} {}", String::from_utf8_lossy(&other));
            }
            let any_length = matches!(*name, "luhn" | "verhoeff" | "nz-ird");
            let cut = &number[..number.len() - 1];
            assert!(any_length || !check(cut.as_bytes()), "{name} {cut}");
        }
    }
}

#[test]
fn knows_vat_numbers() {
    for number in VAT_NUMBERS {
        assert!(eu_vat(number.as_bytes()), "{number}");
        let last = *places(number.trim_end_matches("B01").trim_end_matches("01")).last().unwrap();
        let other = changed(number, last, 1);
        assert!(!eu_vat(&other), "{}", String::from_utf8_lossy(&other));
    }
}

/// Prefixes that HM Revenue & Customs never gives (NIM39110).
#[test]
fn knows_national_insurance_numbers() {
    for number in ["AA 12 34 56 B", "hh 01 02 03 d"] {
        assert!(nino(number.as_bytes()), "{number}");
    }
    for number in ["NT 99 88 77 A", "nt 99 88 77 a", "GB 12 34 56 C", "Z"] {
        assert!(!nino(number.as_bytes()), "{number}");
    }
}

/// Areas, groups and serials that the Social Security Administration never gives.
#[test]
fn knows_social_security_numbers() {
    for number in ["078-05-1123", "219-09-9998", "899-99-9999"] {
        assert!(ssn(number.as_bytes()), "{number}");
    }
    for number in [
        "000-12-3456",
        "666-12-3456",
        "900-12-3456",
        "123-00-4567",
        "123-45-0000",
        "123-45-6789",
        "078-05-1120",
        "111-22-3333",
        "12-345-678",
    ] {
        assert!(!ssn(number.as_bytes()), "{number}");
    }
}

proptest! {
    #[test]
    fn a_changed_digit_fails(index in any::<prop::sample::Index>(), place: prop::sample::Index, by in 1_u8..10) {
        let strong: Vec<_> = CHECKS.iter().filter(|(_, _, finds, _)| *finds == Any).collect();
        let (name, check, _, numbers) = index.get(&strong);
        for number in *numbers {
            let places = places(number);
            let other = changed(number, *place.get(&places), by);
            prop_assert!(!check(&other), "{} {}", name, String::from_utf8_lossy(&other));
        }
    }

    /// No check panics, whatever it gets.
    #[test]
    fn any_bytes_are_answered(value in prop_oneof![
        "[0-9]{0,26}", "[0-9A-Z./ -]{0,20}", "[A-Z]{0,3}[0-9]{6,10}[A-Z]?", "\\PC{0,20}",
    ]) {
        for (_, check, _, _) in CHECKS {
            check(value.as_bytes());
        }
        eu_vat(value.as_bytes());
        ssn(value.as_bytes());
        nino(value.as_bytes());
    }
}
