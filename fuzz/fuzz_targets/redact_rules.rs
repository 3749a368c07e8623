//! Any text as a file of rules: loaded or refused with an error, and then used.
#![no_main]

use defenter_redact::{Options, Redactor, RuleFile};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let file = RuleFile { name: "fuzz.toml".to_owned(), text: data.to_owned() };
    let options = Options { rule_files: vec![file], ..Options::default() };
    match Redactor::with_options(&options) {
        Ok(redactor) => drop(redactor.scan_text(data.as_bytes())),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
