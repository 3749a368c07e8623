//! Owns what a key's name says of its value.
//! Accepts the bytes of a name in any of the usual spellings; emits its class; promises to look at
//! whole words only, the last one first, since `password_policy` is a policy.

use super::words::{is_calm, is_caption, is_joined_pass, is_neutral, is_published, is_unreal};

/// What the value of a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyClass {
    /// Something that a person may have chosen, so that any value counts.
    Password,
    /// A secret that a machine made.
    Secret,
    /// Perhaps a secret: `key`, `auth`.
    Weak,
    /// Something random that may be short: `nonce`, `salt`.
    Nonce,
    /// Nothing that we know to be secret.
    Other,
}

/// Longest name that is looked at, in bytes.
const MAX_NAME: usize = 128;

/// Classifies a key's name.
pub(crate) fn classify(name: &[u8]) -> KeyClass {
    let words = Words::of(name);
    let mut index = words.count;
    while index > 0 && is_neutral(words.get(index - 1)) {
        index -= 1;
    }
    let Some(last) = index.checked_sub(1) else { return KeyClass::Other };
    if last >= 2 && words.get(last) == b"id" && words.get(last - 1) == b"key" {
        // Half of a pair, as AWS names it.
        return if words.get(last - 2) == b"access" { KeyClass::Weak } else { KeyClass::Other };
    }
    if is_calm(words.get(last)) || is_caption(words.get(0)) {
        return KeyClass::Other;
    }
    // `non_prod_password` is one of another house, `nonMatchingToken` is none.
    let of_production = |at: usize| at < index && words.get(at).starts_with(b"prod");
    if (0..index).any(|at| is_unreal(words.get(at)) && !of_production(at + 1)) {
        return KeyClass::Other;
    }
    // Verbs: `passThrough`, `passValue`; and ids of requests that are sent again.
    let joined = || name.iter().all(u8::is_ascii_alphanumeric);
    if last > 0 && words.get(0) == b"pass" && joined() {
        return KeyClass::Other;
    }
    if last > 1 && words.get(last - 1) == b"request" && words.get(last - 2) == b"client" {
        return KeyClass::Other;
    }
    let published = (last.saturating_sub(2)..last).any(|at| is_published(words.get(at)));
    for at in (last.saturating_sub(2)..=last).rev() {
        let word = words.get(at);
        if at < last && (is_calm(word)) {
            break;
        }
        let before = at.checked_sub(1).map(|at| words.get(at)).unwrap_or_default();
        match word_class(word, before) {
            KeyClass::Other => {}
            // `publicToken` and `PublicKeyToken` are given to everybody, a public password is not.
            KeyClass::Secret | KeyClass::Weak if published => return KeyClass::Other,
            class => return class,
        }
    }
    KeyClass::Other
}

fn word_class(word: &[u8], before: &[u8]) -> KeyClass {
    // `Access-Control-Allow-Credentials`, `Sec-WebSocket-Key`.
    if matches!(
        (before, word),
        (b"allow", b"credentials") | (b"websocket" | b"socket", b"key" | b"accept")
    ) {
        return KeyClass::Other;
    }
    const PASSWORD_ENDS: &[&[u8]] =
        &[b"password", b"passwd", b"passphrase", b"passwort", b"passcode", b"pwd", b"passw"];
    const SECRET_ENDS: &[&[u8]] = &[
        b"secret",
        b"token",
        b"apikey",
        b"accesskey",
        b"secretkey",
        b"privatekey",
        b"authkey",
        b"credential",
        b"credentials",
        b"masterkey",
        b"clientsecret",
        b"appsecret",
        b"encryptionkey",
        b"signingkey",
        b"securekey",
        b"sessionkey",
        b"sharedkey",
        b"aeskey",
    ];
    // What a page is sent with that it comes from: nothing without the session.
    let of_page = |word: &[u8]| matches!(word, b"csrf" | b"xsrf" | b"antiforgery");
    if of_page(before) || matches!(word, b"csrftoken" | b"xsrftoken" | b"csrfmiddlewaretoken") {
        return KeyClass::Other;
    }
    // Tokens of a protocol, a page or a language model.
    if word.starts_with(b"token")
        && matches!(
            before,
            b"progress"
                | b"page"
                | b"next"
                | b"previous"
                | b"prev"
                | b"continuation"
                | b"continue"
                | b"cursor"
                | b"stop"
                | b"start"
                | b"end"
                | b"eos"
                | b"bos"
                | b"pad"
                | b"unk"
                | b"cls"
                | b"sep"
                | b"mask"
                | b"special"
                | b"input"
                | b"output"
                | b"prompt"
                | b"completion"
                | b"total"
                | b"max"
                | b"min"
                | b"sync"
                | b"pagination"
                | b"skip"
                | b"delta"
                | b"resume"
                | b"cached"
                | b"reasoning"
                | b"idempotency"
                | b"cancel"
                | b"cancellation"
                | b"design"
                | b"change"
                | b"update"
                | b"purchase"
                | b"dkim"
                | b"action"
        )
    {
        return KeyClass::Other;
    }
    if matches!(
        word,
        b"pass"
            | b"pw"
            | b"pswd"
            | b"psw"
            | b"psswd"
            | b"pssword"
            | b"pswrd"
            | b"passwrd"
            | b"pasword"
            | b"paswd"
            | b"pword"
            | b"passwords"
            | b"kennwort"
            | b"contrasena"
            | b"senha"
            | b"passin"
            | b"passout"
            | b"requirepass"
            | b"masterauth"
            | b"wachtwoord"
            | b"passe"
            | b"haslo"
            | b"psword"
            | b"psswrd"
            | b"paswrd"
    ) || is_joined_pass(word)
        // A slip in typing it.
        || word.starts_with(b"passw") && (7..=10).contains(&word.len())
        || PASSWORD_ENDS.iter().any(|end| word.ends_with(end))
    {
        return KeyClass::Password;
    }
    if matches!(
        word,
        b"secrets"
            | b"tokens"
            | b"creds"
            | b"cred"
            | b"authorization"
            | b"apitoken"
            | b"mnemonic"
            | b"bearer"
            | b"hmac"
            | b"sharedaccesssignature"
            | b"jwt"
            | b"pat"
            | b"otp"
            | b"totp"
            | b"apikeys"
            | b"webhook"
            | b"crumb"
    ) || SECRET_ENDS.iter().any(|end| word.ends_with(end))
    {
        return KeyClass::Secret;
    }
    if matches!(word, b"key" | b"keys")
        && matches!(
            before,
            b"public"
                | b"pub"
                | b"publishable"
                | b"primary"
                | b"foreign"
                | b"partition"
                | b"sort"
                | b"range"
                | b"unique"
                | b"hash"
                | b"cache"
                | b"index"
                | b"row"
                | b"translation"
                | b"object"
                | b"property"
                | b"event"
                | b"composite"
                | b"host"
                | b"registry"
                | b"map"
                | b"lookup"
                | b"group"
                | b"locale"
        )
    {
        return KeyClass::Other;
    }
    if matches!(word, b"key" | b"keys")
        && matches!(
            before,
            b"api"
                | b"access"
                | b"secret"
                | b"private"
                | b"encryption"
                | b"signing"
                | b"auth"
                | b"master"
                | b"license"
                | b"licence"
                | b"consumer"
                | b"subscription"
                | b"storage"
                | b"account"
                | b"shared"
                | b"service"
                | b"admin"
                | b"app"
                | b"application"
                | b"client"
                | b"crypto"
                | b"cipher"
                | b"aes"
                | b"ssh"
                | b"deploy"
                | b"webhook"
                | b"hmac"
                | b"sdk"
                | b"integration"
                | b"ingest"
                | b"write"
                | b"rest"
                | b"server"
                | b"jwt"
                | b"session"
                | b"cookie"
                | b"decrypt"
                | b"encrypt"
                | b"oauth"
        )
    {
        return KeyClass::Secret;
    }
    if matches!(word, b"word" | b"phrase" | b"code" | b"wd") && before == b"pass" {
        return KeyClass::Password;
    }
    if matches!(word, b"nonce" | b"salt" | b"cnonce" | b"seed") {
        return KeyClass::Nonce;
    }
    if matches!(
        word,
        b"key"
            | b"auth"
            | b"authentication"
            | b"signature"
            | b"sig"
            | b"sid"
            | b"cookie"
            | b"session"
            | b"api"
            | b"oauth"
            | b"keys"
            | b"nkey"
            | b"pin"
    ) {
        return KeyClass::Weak;
    }
    KeyClass::Other
}

/// The lower-case words of a name.
struct Words {
    text: [u8; MAX_NAME],
    ends: [(u8, u8); 24],
    count: usize,
}

impl Words {
    /// Splits at everything but letters and digits, and before a capital after a small letter or
    /// before a small letter that follows capitals.
    fn of(name: &[u8]) -> Words {
        let name = &name[name.len().saturating_sub(MAX_NAME)..];
        let mut words = Words { text: [0; MAX_NAME], ends: [(0, 0); 24], count: 0 };
        let mut start = 0;
        for at in 0..=name.len() {
            let splits = match name.get(at) {
                None => true,
                Some(byte) if !byte.is_ascii_alphanumeric() => true,
                Some(byte) if at > start && byte.is_ascii_uppercase() => {
                    let before = name[at - 1];
                    before.is_ascii_lowercase()
                        || before.is_ascii_uppercase()
                            && name.get(at + 1).is_some_and(u8::is_ascii_lowercase)
                }
                _ => false,
            };
            if !splits {
                continue;
            }
            words.push(name, start, at);
            let skips = name.get(at).is_some_and(|byte| !byte.is_ascii_alphanumeric());
            start = at + usize::from(skips);
        }
        words
    }

    /// Adds a word without the number at its end, as in `password2`.
    fn push(&mut self, name: &[u8], start: usize, end: usize) {
        if start >= end {
            return;
        }
        let digits = name[start..end].iter().rev().take_while(|b| b.is_ascii_digit()).count();
        let end = if digits < end - start { end - digits } else { end };
        if self.count == self.ends.len() {
            self.ends.rotate_left(1);
            self.count -= 1;
        }
        self.text[start..end].copy_from_slice(&name[start..end]);
        self.text[start..end].make_ascii_lowercase();
        // Names are at most 128 bytes long.
        self.ends[self.count] = (start as u8, end as u8);
        self.count += 1;
    }

    fn get(&self, index: usize) -> &[u8] {
        let (start, end) = self.ends[index];
        &self.text[usize::from(start)..usize::from(end)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, class: KeyClass) {
        assert_eq!(classify(name.as_bytes()), class, "{name}");
    }

    #[test]
    fn the_last_word_decides() {
        for name in [
            "password",
            "DB_PASSWORD",
            "userPassword",
            "mysql_pwd",
            "dbpass",
            "password2",
            "PGPASSWORD",
            "new_password",
            "passwordConfirm",
        ] {
            check(name, KeyClass::Password);
        }
        for name in [
            "client_secret",
            "apiKey",
            "API_KEY",
            "accessToken",
            "x-api-key",
            "aws_secret_access_key",
            "authToken",
            "GITHUB_TOKEN",
            "apikey",
            "HMACSecret",
        ] {
            check(name, KeyClass::Secret);
        }
        for name in ["key", "auth"] {
            check(name, KeyClass::Weak);
        }
        for name in [
            "password_policy",
            "tokenType",
            "secret_name",
            "key_id",
            "keyboard",
            "monkey",
            "passwordLength",
            "author",
            "bypass",
            "compass",
            "public_key_path",
            "primaryKey",
            "foreign_key",
            "token_count",
            "csrf_token",
            "X-CSRF-Token",
            "csrftoken",
            "publicToken",
            "PublicKeyToken",
        ] {
            check(name, KeyClass::Other);
        }
    }
}
