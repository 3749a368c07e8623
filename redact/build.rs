//! Turns our rule files (`rules/*.toml`) into constants, so that nothing is parsed at run time.

#[path = "src/rule/dialect.rs"]
mod dialect;

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use dialect::{AllowSpec, DialectError, RequiredSpec, RuleSpec, Texts};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=rules");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/rule/dialect.rs");
    let mut files: Vec<_> =
        fs::read_dir("rules")?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let mut rules = String::from("&[\n");
    let mut examples = String::from("&[\n");
    for path in files {
        for rule in read(&path)? {
            write_rule(&mut rules, &rule)?;
            writeln!(
                examples,
                "({:?}, &{:?}, &{:?}),",
                rule.id, rule.examples, rule.counterexamples
            )?;
        }
    }
    rules.push(']');
    examples.push(']');
    let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    fs::write(Path::new(&out).join("rules.rs"), rules)?;
    fs::write(Path::new(&out).join("examples.rs"), examples)?;
    Ok(())
}

fn read(path: &Path) -> Result<Vec<RuleSpec>, Box<dyn Error>> {
    let text = fs::read_to_string(path)?;
    let file = dialect::parse(&text).map_err(|error| match error {
        DialectError::Syntax(detail) => format!("{}: {detail}", path.display()),
        DialectError::Rule(id, line, problem) => {
            format!("{}:{line}: rule {id}: {problem}", path.display())
        }
    })?;
    Ok(file.rules)
}

fn write_rule(out: &mut String, rule: &RuleSpec) -> std::fmt::Result {
    writeln!(
        out,
        "RuleSpec {{ id: Cow::Borrowed({:?}), description: Cow::Borrowed({:?}), \
         kind: Cow::Borrowed({:?}), confidence: Cow::Borrowed({:?}), how: How::{:?}, \
         pattern: Cow::Borrowed({:?}), keywords: {}, entropy: {:?}, secret_group: {}, \
         validator: Cow::Borrowed({:?}), reach: {}, glued: {}, path: None, allowlists: {}, required: {}, \
         skip_report: {}, examples: Cow::Borrowed(&[]), counterexamples: Cow::Borrowed(&[]), \
         line: {} }},",
        rule.id,
        rule.description,
        rule.kind,
        rule.confidence,
        rule.how,
        rule.pattern,
        texts(&rule.keywords),
        rule.entropy,
        rule.secret_group,
        rule.validator,
        rule.reach,
        rule.glued,
        list(&rule.allowlists, allow),
        list(&rule.required, required),
        rule.skip_report,
        rule.line
    )
}

fn list<T>(items: &[T], one: impl Fn(&T) -> String) -> String {
    let inner: Vec<_> = items.iter().map(one).collect();
    format!("Cow::Borrowed(&[{}])", inner.join(", "))
}

fn texts(items: &Texts) -> String {
    list(items, |text| format!("Cow::Borrowed({text:?})"))
}

fn allow(spec: &AllowSpec) -> String {
    format!(
        "AllowSpec {{ rules: {}, all: {}, target: Target::{:?}, regexes: {}, stopwords: {}, \
         elsewhere: {} }}",
        texts(&spec.rules),
        spec.all,
        spec.target,
        texts(&spec.regexes),
        texts(&spec.stopwords),
        spec.elsewhere
    )
}

fn required(spec: &RequiredSpec) -> String {
    format!(
        "RequiredSpec {{ id: Cow::Borrowed({:?}), within_lines: {:?}, within_columns: {:?} }}",
        spec.id, spec.within_lines, spec.within_columns
    )
}
