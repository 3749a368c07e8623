//! Finds secrets and personal data in text and JSON and makes redacted copies.
//!
//! Owns the rules (`rules/*.toml`), the matching, and the splicing of the copy. Accepts any bytes.
//! Emits a [`Scan`]: findings without their values, and the redacted copy. Promises: offline,
//! deterministic, idempotent; work linear in the input; JSON stays valid and every byte outside a
//! finding stays as it was; a budget that runs out withholds the text, never lets it through.
//!
//! ```
//! let redactor = defenter_redact::Redactor::builtin();
//! let input = br#"{"password":"hunter2-and-more"}"#;
//! let scan = redactor.scan_json(input);
//! assert_eq!(&*scan.apply(input), br#"{"password":"[REDACTED-SECRET]"}"#);
//! assert_eq!(scan.findings()[0].key_path.as_deref(), Some("/password"));
//! ```

mod action;
mod barrier;
mod blocks;
mod context;
mod decode;
mod engine;
mod exception;
mod finding;
mod json;
mod kind;
mod lanes;
#[cfg(test)]
mod linear;
mod locate;
mod offsets;
mod options;
mod pii;
mod prefilter;
mod redactor;
mod rule;
mod scan;
mod stream;
mod unescape;
mod window;

pub use exception::Exception;
pub use finding::{Confidence, Finding, Fingerprint, NotAFingerprint, RuleId, Verdict};
pub use kind::Kind;
pub use options::{Budget, Options, RuleError, RuleFile};
pub use redactor::{Redactor, RuleDetails, RuleInfo};
pub use scan::{Ordinals, Scan, WITHHELD};
pub use stream::Stream;
