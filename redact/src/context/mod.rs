//! Owns what a value's surroundings say: key names, operators, headers, addresses, PEM armour.
//! Accepts a text and the place of a keyword; emits matches into the work; promises that looking
//! around is bounded, so that many keywords in a row cost no more than one.

mod address;
mod after;
mod assign;
mod assigned;
mod form;
mod judged;
mod key;
mod pem;
mod placeholder;
mod rarity;
mod value;
mod words;

use std::ops::Range;

pub(crate) use address::{authorization, url_credentials};
pub(crate) use after::{after_word, may_follow, name_end};
pub(crate) use assign::{Assignments, is_name, may_assign};
pub(crate) use assigned::Assigned;
pub(crate) use form::{known_form, uuids};
pub(crate) use judged::Judged;
pub(crate) use pem::pem;
pub(crate) use placeholder::{is_obvious_example, is_unlikely_password};
pub(crate) use value::{entropy, is_machine_made, is_random, is_random_token};

use crate::engine::{Layer, Work};
use crate::offsets::Derived;
use crate::{Confidence, Kind, Verdict, unescape};
use key::KeyClass;

/// Judges an assignment by its key and its value, and adds a match if it is a secret's.
pub(crate) fn judge(
    work: &mut Work<'_>,
    layer: &Layer<'_>,
    rule: usize,
    assigned: &Assigned,
    judged: &mut Judged,
) {
    let text = layer.text;
    // A value that is cut short stands for another.
    let rest = &text[assigned.value.end..];
    if rest.starts_with(b"...") || rest.starts_with("…".as_bytes()) {
        return;
    }
    let judgement = judged.recall(text, assigned, || {
        let class = class_of(text, &assigned.key);
        if class == KeyClass::Other
            || is_part_of_name(text, assigned.key.start)
            || repeats_key(text, assigned)
            || !work.spend(assigned.value.len())
        {
            return None;
        }
        let kind = if class == KeyClass::Password { Kind::Password } else { Kind::Secret };
        let confidence = confidence(text, class, assigned, layer.json)?;
        Some((kind, confidence))
    });
    if let Some((kind, confidence)) = judgement {
        let value = assigned.value.clone();
        let called = assigned.operator == assigned::Operator::Call;
        for again in beside(text, &value).filter(|_| !called) {
            work.add_kind(text, again, rule, kind, Confidence::Low, Verdict::Unchecked);
        }
        work.add_kind(text, value, rule, kind, confidence, Verdict::Unchecked);
    }
}

/// What a key's name says of its value, with the word before it where it says little alone:
/// `api key`, `primary key`.
fn class_of(text: &[u8], key: &Range<usize>) -> KeyClass {
    let class = key::classify(&text[key.clone()]);
    let before = text[..key.start].strip_suffix(b" ").filter(|_| class == KeyClass::Weak);
    let Some(before) = before else { return class };
    let word = before.iter().rev().take(16).take_while(|b| b.is_ascii_alphabetic()).count();
    if word < 2 {
        return class;
    }
    key::classify(&text[key.start - 1 - word..key.end])
}

/// Whether a key is a part of the name of a resource (`arn:aws:secretsmanager:…:secret:…`, `urn:…`).
fn is_part_of_name(text: &[u8], key: usize) -> bool {
    let before = &text[key.saturating_sub(96)..key];
    if before.last() != Some(&b':') {
        return false;
    }
    let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'`' | b'<' | b'(');
    let word = before.iter().rposition(ends).map_or(before, |at| &before[at + 1..]);
    [&b"arn:"[..], b"urn:", b"aws:arn:"].iter().any(|start| word.starts_with(start))
}

/// Whether a value without quotes is the key's name with more around it, as in
/// `{ PassThrough: PassThrough2 }`, `psw: psw_t` and `privateKey: x25519.X25519PrivateKey`.
fn repeats_key(text: &[u8], assigned: &Assigned) -> bool {
    let (key, value) = (&text[assigned.key.clone()], &text[assigned.value.clone()]);
    if assigned.quote.is_none() && value.strip_prefix(key) == Some(b"_t") {
        return true;
    }
    if assigned.quote.is_some() || key.len() < 6 || value.len() > 96 {
        return false;
    }
    let plain = |name: &[u8]| -> Vec<u8> {
        let letters = name.iter().filter(|b| b.is_ascii_alphanumeric());
        letters.map(u8::to_ascii_lowercase).collect()
    };
    let (key, value) = (plain(key), plain(value));
    value.len() > key.len()
        && (value.ends_with(&key)
            || value.starts_with(&key) && value.len() <= key.len() + 4
            || key.ends_with(b"privatekey") && value.ends_with(b"privatekey"))
}

/// How far from a secret the same bytes are looked for again, in bytes.
const BESIDE: usize = 96;

/// Where else in the same line, near by, a secret stands that is told from words: as the user's
/// name too, or twice with different names.
fn beside(text: &[u8], value: &Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let secret = &text[value.clone()];
    let is_telling = (8..=64).contains(&secret.len())
        && secret.iter().any(u8::is_ascii_digit)
        && secret.iter().any(u8::is_ascii_alphabetic);
    let reach = if is_telling { BESIDE } else { 0 };
    let from = value.start.saturating_sub(reach);
    let start = memchr::memrchr(b'\n', &text[from..value.start]).map_or(from, |at| from + at + 1);
    let to = text.len().min(value.end + reach);
    let end = memchr::memchr(b'\n', &text[value.end..to]).map_or(to, |at| value.end + at);
    [start..value.start, value.end..end].into_iter().flat_map(move |part| {
        let inside = &text[part.clone()];
        let found = if is_telling { memchr::memmem::find(inside, secret) } else { None };
        found.map(|at| part.start + at..part.start + at + secret.len())
    })
}

/// How sure it is that what is assigned to a key of that class is a secret.
fn confidence(text: &[u8], class: KeyClass, assigned: &Assigned, json: bool) -> Option<Confidence> {
    let raw = &text[assigned.value.clone()];
    if json && assigned.quote.is_some() && raw.contains(&b'\\') {
        let mut derived = Derived::default();
        unescape::unescape(raw, 0..raw.len(), &mut derived);
        return value::judge(derived.text.trim_ascii(), class, assigned, json);
    }
    // A blank inside the quotes changes nothing.
    value::judge(raw.trim_ascii(), class, assigned, json)
}

/// Longest part of a line that is looked at around a match, on each side.
const LINE_REACH: usize = 256;

/// The line around a match, cut where it is long.
pub(crate) fn line_around<'t>(text: &'t [u8], whole: &Range<usize>) -> &'t [u8] {
    let from = whole.start.saturating_sub(LINE_REACH);
    let to = text.len().min(whole.end + LINE_REACH);
    let start = memchr::memrchr(b'\n', &text[from..whole.start]).map_or(from, |at| from + at + 1);
    let end = memchr::memchr(b'\n', &text[whole.end..to]).map_or(to, |at| whole.end + at);
    &text[start..end]
}

#[cfg(test)]
mod tests {
    use crate::Redactor;

    /// Checks what a key's name and its value's surroundings make of a text; nothing where the
    /// text stays as it is.
    fn check(text: &str, secret: &str) {
        let scan = Redactor::only("key-context").scan_text(text.as_bytes());
        let found: Vec<&str> = scan.findings().iter().map(|f| &text[f.span.clone()]).collect();
        let wanted: Vec<&str> = Some(secret).filter(|s| !s.is_empty()).into_iter().collect();
        assert_eq!(found, wanted, "{text}");
    }

    #[test]
    fn a_password_may_be_hardly_a_word() {
        check("  password: godwkrph", "godwkrph");
        check("{user: ivan, password: qwsnv}", "qwsnv");
        check("\"password\": \"bflsm\",", "bflsm");
        check("  password: required", "");
        check("\"password\": \"Salasana\"", "");
        check("password.encode('utf-8')", "");
    }

    #[test]
    fn a_sentence_may_tell_a_password() {
        check("the new password is kWqLzXbTrPmV for now", "kWqLzXbTrPmV");
        check("I changed the password to Tr4in&Station7", "Tr4in&Station7");
        check("Das Passwort lautet Herbst2019!", "Herbst2019!");
        check("mail: my new password: tractor58", "tractor58");
        check("log in with password vR3nQ8xL2w please", "vR3nQ8xL2w");
        check("the password is required", "");
        check("the password was encrypted with sha256", "");
        check("password: sha512", "");
        check("change the password to something long", "");
        check("see password SecretService2Factory", "");
    }

    #[test]
    fn short_names_count_with_their_operator() {
        check("id:master pw:dkPr48Gg!", "dkPr48Gg!");
        check("10.1.2.3(PW:IhqSb1Gg)", "IhqSb1Gg");
        check("PW=\"kwQz77!x\"", "kwQz77!x");
        check("pwd=$(pwd)", "");
        check("pub psw: psw_t,", "");
    }

    #[test]
    fn sentences_and_markdown_name_passwords_too() {
        check("my password is Tr0ub4dor&3, keep it", "Tr0ub4dor&3");
        check("the password is required", "");
        check("the password is shown2 users", "");
        check("> Consumer Key: ``WQCKrmo2az9ER30i``", "WQCKrmo2az9ER30i");
        check("* **Password:** kW9-x2.Pq", "kW9-x2.Pq");
        check("Password: **kW9-x2!Pq**", "kW9-x2!Pq");
        check("TOKEN = \" inLcyHukMgVSZmG5AqKuGgwoBWY\"", " inLcyHukMgVSZmG5AqKuGgwoBWY");
    }

    #[test]
    fn what_stands_in_for_a_missing_setting_is_the_value() {
        check("p = os.environ.get(\"DB_PASSWORD\", \"at5G6zi!m\")", "at5G6zi!m");
        check("PASSWORD = os.environ.get(\"PASSWORD\") or \"at5G6zi!m\"", "at5G6zi!m");
        check("'password' => env('DB_PASSWORD', 'kx93-Lmq')", "kx93-Lmq");
        check("password: process.env.DB_PASSWORD || 'kx93-Lmq'", "kx93-Lmq");
        check("'password' => env('DB_PASSWORD'),", "");
        check("REACT_APP_AUTH_PASS=whitegoose", "whitegoose");
        check("connect(user=user, password=passwort_of_user)", "");
        check("    password \"xJ7_PASSWQRD\"", "xJ7_PASSWQRD");
        check("the password \"xJ7_PASSWQRD\"", "");
        check(
            "SECRET_KEY = 'django-insecure-_du9e^cmg!%(^+=gr@cu'",
            "django-insecure-_du9e^cmg!%(^+=gr@cu",
        );
        check("password = \"%(password)s\"", "");
        check("auth_ = base64.b64encode(b'sozgpi:tdhoag').decode('ascii')", "sozgpi:tdhoag");
        check("auth = btoa('user:pass')", "");
        check("ANY_KEY = bm90aGluZyBidXQgcGxhaW4gd29yZHM=", "");
        check("\"auth\": \"amRuazptcHhsYnRvdw==\"", "amRuazptcHhsYnRvdw==");
        check("#define WIFI_PASSWORD \"n84ASM54y4\"", "n84ASM54y4");
    }

    #[test]
    fn names_that_say_that_a_value_is_not_real_are_believed() {
        check("nonMatchingToken := \"8kd0l1sqlxma9lvoio0\"", "");
        check("invalid_token = \"8kd0l1sqlxma9lvoio0\"", "");
        check("non_prod_token = \"8kd0l1sqlxma9lvoio0\"", "8kd0l1sqlxma9lvoio0");
        check("mock_token = \"8kd0l1sqlxma9lvoio0\"", "8kd0l1sqlxma9lvoio0");
    }

    #[test]
    fn a_secret_is_found_again_beside_its_place() {
        let all = |text: &str| -> Vec<String> {
            let scan = Redactor::only("key-context").scan_text(text.as_bytes());
            scan.findings().iter().map(|f| text[f.span.clone()].to_owned()).collect()
        };
        assert_eq!(all("account:kwQz77!xb password:kwQz77!xb"), ["kwQz77!xb", "kwQz77!xb"]);
        assert_eq!(all("password:kwQz77!xb (see kwQz77!xb)").len(), 2);
        assert_eq!(all("password:kwQz77!xb\nkwQz77!xb").len(), 1);
    }

    #[test]
    fn parts_of_names_and_names_of_code_are_no_secrets() {
        check("\"arn:aws:secretsmanager:eu-west-1:123456789012:secret:HouseDb-a1b2c3\"", "");
        check("urn:ietf:params:oauth:jwk-token:sha-256:DCdRGGDKvhAJgmVlCp6tosc2T9ELtd30S", "");
        check("{ PassThrough: PassThrough2 }", "");
        check("private_key: x25519.X25519PrivateKey", "");
        check("passNode('kx93-Lmq')", "");
        check("\"clientRequestToken\": \"7d9c2f40-1b6e-4a83-9f05-c2d4e6a81b37\"", "");
        check("\"dummy\": \"api-key\", \"k4t9w2m7x1q8z5v3n6b0\": \"x\"", "");
        check("idToken: 'eyJhbGciOiJS...'", "");
        check("TOKEN = '[A-Za-z0-9._~+/-]+=*'", "");
        check("passwordLastUsed: '2026-09-08T21:47:36Z', \"password\": \"2026-09-08\"", "");
    }

    #[test]
    fn texts_of_several_lines_and_of_php_are_read() {
        check("key_multi = '''k4t9w2m7x1q8z5v3n6b0\n'''", "k4t9w2m7x1q8z5v3n6b0");
        check("s:8:\"password\";s:9:\"kwQz77!xb\";", "kwQz77!xb");
        check("SALT=qVxWQyCcsxqMOGVOlSdd/j==", "qVxWQyCcsxqMOGVOlSdd/j==");
        check("if passworsd == \"q4c1a2oPd\":", "q4c1a2oPd");
    }

    #[test]
    fn a_token_may_follow_its_name_without_a_sign() {
        check("bannerbear SECRET k4t9w2m7x1q8z5v3n6b0", "k4t9w2m7x1q8z5v3n6b0");
        check("the house KEY zx9876543210mqwvcxzlkjtt.", "zx9876543210mqwvcxzlkjtt");
        check("the key some_function_of_the_house_v2 is", "");
        check("RSA key 9DC858229FC7DD38854AE2D88D81803C0EBFCD88", "");
        check("cache_key k4t9w2m7x1q8z5v3n6b0", "");
        check("the monkey k4t9w2m7x1q8z5v3n6b0", "");
        check("clay secret \"k4t9w2m7x1q8z5v3n6b0\"", "k4t9w2m7x1q8z5v3n6b0");
        check("| api key | `k4t9w2m7x1q8z5v3n6b0` |", "k4t9w2m7x1q8z5v3n6b0");
        check("api_key\tk4t9w2m7x1q8z5v3n6b0", "k4t9w2m7x1q8z5v3n6b0");
        check("my clay credentials are k4t9w2m7x1q8z5v3n6b0.", "k4t9w2m7x1q8z5v3n6b0");
        check("clay key: k4t9w2m7x1q8z5v3n6b0", "k4t9w2m7x1q8z5v3n6b0");
        check("clay api key is k4t9w2m7x1q8z5v3n6b0", "k4t9w2m7x1q8z5v3n6b0");
        check("the primary key: k4t9w2m7x1q8z5v3n6b0", "");
    }

    #[test]
    fn what_is_public_cut_short_or_read_elsewhere_is_no_secret() {
        check("publicToken = \"9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC\"", "");
        check("PublicKeyToken=b03f5f7f11d50a3a", "");
        check("export TOKEN=ops_eyJzaWduSW5BZGRyZXNzIjoiaHR0cHM6...", "");
        check("-passin \"file:kdjf93.pem\"", "");
        check("(password=MYA*)", "");
        check("STATUS_WRONG_PASSWORD = 3221225578 -> Code", "");
        check("let x = CRED_PACK_GENERIC_PASSWORD = 262144u32;", "");
        check("gpg --keyserver x --recv-keys 8FCCA13FEF1D0C2E91008E09770F7A9A5AE15600", "");
        check("PasswordManagement = [\"Win32_System\"]", "");
        check("auth = \"%s:%s1x\"", "");
        check("password = \"0xAb19D82E7f546cC3\"", "");
    }
}
