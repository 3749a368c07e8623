//! Owns the words that say what a number is: a telephone's, or a count's.
//! Accepts a text and the place of a number; emits whether such a word stands before it; promises to
//! look as far as [`Nearby`] does.

use super::nearby::Nearby;
use super::phone::is_mobile;

/// Whether a word before a number says that it counts or names something.
pub(super) fn is_counted(text: &[u8], at: usize) -> bool {
    counting_word(text, at).is_some()
}

/// How far before a number the word starts that says that it counts or names something.
pub(super) fn counting_word(text: &[u8], at: usize) -> Option<usize> {
    const WORDS: &[&[u8]] = &[
        b"account",
        b"article",
        b"batch",
        b"build",
        b"bytes",
        b"case",
        b"code",
        b"commit",
        b"count",
        b"duration",
        b"ean",
        b"elapsed",
        b"epoch",
        b"gtin",
        b"hash",
        b"id",
        b"ids",
        b"index",
        b"invoice",
        b"isbn",
        b"issue",
        b"item",
        b"job",
        b"length",
        b"meeting",
        b"ms",
        b"offset",
        b"order",
        b"page",
        b"part",
        b"pid",
        b"port",
        b"price",
        b"product",
        b"ref",
        b"reference",
        b"request",
        b"rev",
        b"revision",
        b"run",
        b"seed",
        b"seq",
        b"serial",
        b"size",
        b"sku",
        b"ticket",
        b"time",
        b"timestamp",
        b"tracking",
        b"ts",
        b"uid",
        b"upc",
        b"version",
    ];
    Nearby::before(text, at).nearest_whole(WORDS)
}

/// Whether a word before the number says that it is one of a telephone.
pub(super) fn is_named(text: &[u8], at: usize, candidate: &[u8]) -> bool {
    const STARTS: &[&[u8]] = &[
        b"phone",
        b"telefo",
        "teléfo".as_bytes(),
        "télépho".as_bytes(),
        b"telepho",
        b"mobile",
        b"mobiltel",
        b"cellular",
        b"cellphone",
        b"celular",
        b"movil",
        "móvil".as_bytes(),
        b"portable",
        b"whatsapp",
        b"handynummer",
        b"rufnummer",
        b"msisdn",
        b"contact number",
        b"contact_number",
        b"contactnumber",
        b"hotline",
        b"cell number",
        b"cell_number",
        b"cellnumber",
        b"mobilnummer",
        b"handynr",
        b"caller_id",
        b"callerid",
        b"caller id",
        b"from_number",
        b"fromnumber",
        b"to_number",
        b"tonumber",
        b"puhelin",
        b"telepon",
        b"talrunis",
        "telefón".as_bytes(),
        "tālrunis".as_bytes(),
        "мобильн".as_bytes(),
        "елефон".as_bytes(),
        "ел.:".as_bytes(),
        "ηλέφωνο".as_bytes(),
        "κινητό".as_bytes(),
        "טלפון".as_bytes(),
        "נייד".as_bytes(),
        "هاتف".as_bytes(),
        "جوال".as_bytes(),
        "موبايل".as_bytes(),
        "تلفن".as_bytes(),
        "موبایل".as_bytes(),
        "फ़ोन".as_bytes(),
        "फोन".as_bytes(),
        "मोबाइल".as_bytes(),
        "โทร".as_bytes(),
        "มือถือ".as_bytes(),
        "điện thoại".as_bytes(),
        "di động".as_bytes(),
        "전화".as_bytes(),
        "휴대".as_bytes(),
        "携帯".as_bytes(),
        "手機".as_bytes(),
        "电话".as_bytes(),
        "電話".as_bytes(),
        "手机".as_bytes(),
    ];
    // With separators only: code calls and cells have numbers, too.
    const SPOKEN: &[&[u8]] = &[b"call", b"cell", b"dial", b"mob", b"gsm", b"sms"];
    const WHOLE: &[&[u8]] = &[b"tel", b"fax", b"handy", b"tlf", b"cep", b"cel"];
    // A date or a version is none.
    if candidate.iter().filter(|b| **b == b'.').count() > 4 {
        return false;
    }
    // A number without separators could be anything; its word must stand right before it.
    let plain = candidate.iter().all(u8::is_ascii_digit);
    let most = if plain { 18 } else { 40 };
    let before = Nearby::before(text, at);
    let near = |distance: Option<usize>| distance.is_some_and(|distance| distance <= most);
    let said = || {
        [&b" number is "[..], b" number: "].iter().any(|end| text[..at].ends_with(end))
            && (!plain || is_mobile(candidate) && !is_counted(text, at))
    };
    near(before.nearest(STARTS))
        || near(before.nearest_whole(WHOLE))
        || !plain && near(before.nearest_whole(SPOKEN))
        || near(before.nearest_whole(&[b"contact"])) && !is_counted(text, at)
        || said()
}
