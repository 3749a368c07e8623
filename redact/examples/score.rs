//! Scores the redactor on labelled samples: `cargo run --release -p defenter-redact --example
//! score -- [--rules FILE.toml] [--with KIND] [--misses RULE|all] [--flagged RULE|all]
//! CORPUS.jsonl[.gz]… [--clean FOLDER]…`. `--rules` adds a file of rules, as gitleaks writes them,
//! to the built-in ones; `--with` looks for a kind that is not looked for by default; `--misses` and
//! `--flagged` list what was missed or flagged wrongly, with the line of the sample; `--clean` tells
//! what is found in a folder's text files, which should be next to nothing, by megabyte and rule.
//!
//! A sample is a JSON object a line with `text`, `label` (`positive` or `negative`), `rule`,
//! `secret` or `secrets`, and perhaps `transform`. A positive counts as found when half or more of
//! each secret is gone from the copy; where the secret does not stand in the text as it is (it is
//! encoded), when anything was found. A negative counts as flagged when anything was found.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use defenter_redact::{Finding, Kind, Options, Redactor, RuleFile, Scan};
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
    let mut folders = Vec::new();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--rules" => {
                let name = args.next().ok_or("--rules needs a file")?;
                let text = std::fs::read_to_string(&name)?;
                options.rule_files.push(RuleFile { name, text });
            }
            "--with" => {
                let name = args.next().ok_or("--with needs a kind")?;
                options.enabled_kinds.insert(Kind::from_label(&name).ok_or("no such kind")?);
            }
            "--clean" => folders.push(args.next().ok_or("--clean needs a folder")?),
            "--misses" => choice.misses = args.next(),
            "--flagged" => choice.flagged = args.next(),
            _ => files.push(arg),
        }
    }
    let redactor = Redactor::with_options(&options)?;
    for file in files {
        score(&redactor, &file, &choice)?;
    }
    for folder in folders {
        let mut clean = Clean::default();
        clean.folder(&redactor, Path::new(&folder), &choice)?;
        clean.print(&folder);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a program that prints a table")]
fn score(redactor: &Redactor, file: &str, choice: &Choice) -> Result<(), Box<dyn Error>> {
    let mut by_rule: BTreeMap<String, Count> = BTreeMap::new();
    let mut by_transform: BTreeMap<String, Count> = BTreeMap::new();
    let mut total = Count::default();
    let (mut bytes, mut findings) = (0, 0);
    for (number, line) in (1..).zip(open(file)?.lines()) {
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
            let secret = field("secret");
            println!("MISS {number} {rule} | {secret} | {} | {}", told(&scan, &text), cut(&text));
        }
        if !positive && found && show(&choice.flagged) {
            println!("FLAG {number} {rule} | {} | {}", told(&scan, &text), cut(&text));
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

/// What was found, by which rules.
fn told(scan: &Scan, text: &str) -> String {
    let told = |f: &Finding| format!("{}={}", f.rule, text[f.span.clone()].escape_debug());
    scan.findings().iter().map(told).collect::<Vec<_>>().join(" ")
}

/// What was found where nothing should be.
#[derive(Default)]
struct Clean {
    bytes: usize,
    files: usize,
    findings: usize,
    by_rule: BTreeMap<String, usize>,
}

impl Clean {
    /// Scans the text files below a folder, none longer than 4 MiB.
    #[expect(clippy::print_stdout, reason = "a program that prints a list")]
    fn folder(
        &mut self,
        redactor: &Redactor,
        at: &Path,
        choice: &Choice,
    ) -> Result<(), Box<dyn Error>> {
        let kind = std::fs::symlink_metadata(at)?;
        if kind.is_dir() {
            let mut inside: Vec<_> = std::fs::read_dir(at)?
                .map(|one| one.map(|one| one.path()))
                .collect::<Result<_, _>>()?;
            inside.sort();
            return inside.iter().try_for_each(|one| self.folder(redactor, one, choice));
        }
        if !kind.is_file() || kind.len() > 4 << 20 {
            return Ok(());
        }
        let Ok(text) = String::from_utf8(std::fs::read(at)?) else { return Ok(()) };
        let scan = redactor.scan_text(text.as_bytes());
        self.bytes += text.len();
        self.files += 1;
        for finding in scan.findings() {
            self.findings += 1;
            *self.by_rule.entry(finding.rule.to_string()).or_default() += 1;
            let rule = finding.rule.as_str();
            if choice.flagged.as_deref().is_some_and(|c| c == "all" || c == rule) {
                let span = finding.span.clone();
                let from = span.start.saturating_sub(60);
                let start = (0..=from).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
                let line = 1 + text[..span.start].matches('\n').count();
                let before = text[start..span.start].escape_debug();
                let value = text[span].escape_debug();
                println!("FOUND {}:{line} {rule} | {before} >> {value}", at.display());
            }
        }
        Ok(())
    }

    #[expect(clippy::print_stdout, reason = "a program that prints a table")]
    fn print(&self, folder: &str) {
        let megabytes = self.bytes as f64 / 1e6;
        let share = self.findings as f64 / megabytes;
        println!("== {folder}: {} files, {megabytes:.1} MB, {share:.2} findings a MB", self.files);
        for (rule, count) in &self.by_rule {
            println!("{rule:40} {count:6}   {:6.2} a MB", *count as f64 / megabytes);
        }
    }
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
