//! Scores the redactor on labelled samples: `cargo run --release -p defenter-redact --example
//! score -- [--rules FILE.toml] [--misses RULE|all] [--flagged RULE|all] CORPUS.jsonl[.gz]…`.
//! `--rules` adds a file of rules, as gitleaks writes them, to the built-in ones.
//!
//! A sample is a JSON object a line with `text`, `label` (`positive` or `negative`), `rule`,
//! `secret` or `secrets`, and perhaps `transform`. A positive counts as found when half or more of
//! each secret is gone from the copy; where the secret does not stand in the text as it is (it is
//! encoded), when anything was found. A negative counts as flagged when anything was found.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};

use defenter_redact::{Options, Redactor, RuleFile, Scan};
use serde_json::Value;

#[derive(Default)]
struct Count {
    positives: usize,
    found: usize,
    negatives: usize,
    flagged: usize,
}

#[derive(Default)]
struct Choice {
    misses: Option<String>,
    flagged: Option<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut choice = Choice::default();
    let mut options = Options::default();
    let mut files = Vec::new();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--rules" => {
                let name = args.next().ok_or("--rules needs a file")?;
                let text = std::fs::read_to_string(&name)?;
                options.rule_files.push(RuleFile { name, text });
            }
            "--misses" => choice.misses = args.next(),
            "--flagged" => choice.flagged = args.next(),
            _ => files.push(arg),
        }
    }
    let redactor = Redactor::with_options(&options)?;
    for file in files {
        score(&redactor, &file, &choice)?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a program that prints a table")]
fn score(redactor: &Redactor, file: &str, choice: &Choice) -> Result<(), Box<dyn Error>> {
    let mut by_rule: BTreeMap<String, Count> = BTreeMap::new();
    let mut by_transform: BTreeMap<String, Count> = BTreeMap::new();
    let mut total = Count::default();
    let (mut bytes, mut findings) = (0, 0);
    for line in open(file)?.lines() {
        let sample: Value = serde_json::from_str(&line?)?;
        let field = |name: &str| sample[name].as_str().unwrap_or_default().to_owned();
        let (text, rule, label) = (field("text"), field("rule"), field("label"));
        let scan = redactor.scan_text(text.as_bytes());
        bytes += text.len();
        findings += scan.findings().len();
        let positive = match label.as_str() {
            "positive" => true,
            "negative" => false,
            _ => continue,
        };
        let found = if positive { covers(&scan, &sample, &text) } else { !scan.is_clean() };
        let show =
            |chosen: &Option<String>| chosen.as_deref().is_some_and(|c| c == "all" || c == rule);
        if positive && !found && show(&choice.misses) {
            println!("MISS {rule} | {} | {}", field("secret"), cut(&text));
        }
        if !positive && found && show(&choice.flagged) {
            let rules: Vec<_> = scan
                .findings()
                .iter()
                .map(|f| format!("{}={}", f.rule, &text[f.span.clone()]))
                .collect();
            println!("FLAG {rule} | {} | {}", rules.join(" "), cut(&text));
        }
        let transform = field("transform");
        let groups = [
            Some(&mut total),
            Some(by_rule.entry(rule).or_default()),
            (!transform.is_empty()).then(|| by_transform.entry(transform).or_default()),
        ];
        for count in groups.into_iter().flatten() {
            if positive {
                count.positives += 1;
                count.found += usize::from(found);
            } else {
                count.negatives += 1;
                count.flagged += usize::from(found);
            }
        }
    }
    println!("== {file}: {bytes} bytes, {findings} findings");
    print("total", &total);
    for (name, count) in by_transform.iter().chain(&by_rule) {
        if count.found < count.positives || count.flagged > 0 {
            print(name, count);
        }
    }
    Ok(())
}

fn open(file: &str) -> Result<Box<dyn BufRead>, Box<dyn Error>> {
    let reader = File::open(file)?;
    let plain: Box<dyn Read> = if file.ends_with(".gz") {
        Box::new(flate2::read::MultiGzDecoder::new(reader))
    } else {
        Box::new(reader)
    };
    Ok(Box::new(BufReader::new(plain)))
}

/// Whether at least half of every secret of the sample lies in findings.
fn covers(scan: &Scan, sample: &Value, text: &str) -> bool {
    let mut secrets: Vec<&str> = sample["secrets"]
        .as_array()
        .map(|list| list.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    if secrets.is_empty() {
        secrets.extend(sample["secret"].as_str());
    }
    secrets.iter().all(|secret| match text.find(secret) {
        Some(start) if !secret.is_empty() => {
            let end = start + secret.len();
            let covered: usize = scan
                .findings()
                .iter()
                .map(|f| f.span.end.min(end).saturating_sub(f.span.start.max(start)))
                .sum();
            covered * 2 >= secret.len()
        }
        _ => !scan.is_clean(),
    })
}

fn cut(text: &str) -> String {
    text.chars().take(200).collect::<String>().escape_debug().to_string()
}

#[expect(clippy::print_stdout, reason = "a program that prints a table")]
fn print(name: &str, count: &Count) {
    let share = |part: usize, whole: usize| match whole {
        0 => "      -".to_owned(),
        _ => format!("{:6.1}%", 100.0 * part as f64 / whole as f64),
    };
    println!(
        "{name:40} recall {} of {:5}   flagged {} of {:5}",
        share(count.found, count.positives),
        count.positives,
        share(count.flagged, count.negatives),
        count.negatives
    );
}
