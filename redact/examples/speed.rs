//! Measures how fast files are scanned, each by its best of many runs, which a busy machine
//! disturbs less than a mean: `cargo run --release -p defenter-redact --example speed -- FILE…`.
//! Files whose names end in `.json` are scanned as JSON, the others as text; those whose names end
//! in `.toml` are rules that are looked for too. A number is that of the threads for long files.

use std::error::Error;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use defenter_redact::{Options, Redactor, RuleFile};

/// How long each file is measured.
const TIME: Duration = Duration::from_millis(800);

#[expect(clippy::print_stdout, reason = "a program that prints a table")]
fn main() -> Result<(), Box<dyn Error>> {
    let is_rules = |name: &String| name.ends_with(".toml");
    let (rules, mut texts): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(is_rules);
    let mut threads = NonZeroUsize::MIN;
    texts.retain(|name| name.parse().map(|number| threads = number).is_err());
    let mut options = Options::default();
    for name in rules {
        let text = std::fs::read_to_string(&name)?;
        options.rule_files.push(RuleFile { name, text });
    }
    let begun = Instant::now();
    let redactor = if options.rule_files.is_empty() {
        Redactor::builtin()
    } else {
        Redactor::with_options(&options)?
    };
    let redactor = redactor.with_threads(threads);
    println!("ready in {:.2} ms", begun.elapsed().as_secs_f64() * 1e3);
    for file in texts {
        let text = std::fs::read(&file)?;
        let begun = Instant::now();
        let mut best = f64::INFINITY;
        let mut findings = 0;
        while begun.elapsed() < TIME {
            let run = Instant::now();
            let scan = if file.ends_with(".json") {
                redactor.scan_json(&text)
            } else {
                redactor.scan_text(&text)
            };
            best = best.min(run.elapsed().as_secs_f64());
            findings = scan.findings().len();
        }
        println!(
            "{:9} bytes {:10.2} µs {:8.1} MB/s {findings:6} findings  {file}",
            text.len(),
            best * 1e6,
            text.len() as f64 / best / 1e6,
        );
    }
    Ok(())
}
