//! The rules of the house that no compiler checks: who may know whom, and what may come in.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;
use toml_edit::{DocumentMut, Item};

use crate::programs::ROOT;

/// Which of our crates each of them may depend on. What is not here may not be.
const ARROWS: [(&str, &[&str]); 9] = [
    ("defenter-redact", &[]),
    ("defenter-audit", &[]),
    ("defenter-config", &[]),
    ("defenter-mcp", &[]),
    ("defenter-policy", &["redact"]),
    ("defenter-actors", &["mcp", "redact", "policy", "audit", "config"]),
    ("defenter-console", &["actors", "mcp", "redact", "policy", "audit", "config"]),
    ("defenter", &["console", "actors", "mcp", "redact", "policy", "audit", "config"]),
    ("defenter-fixtures", &[]),
];

/// Libraries that know no runtime.
const PURE: [&str; 4] = ["defenter-redact", "defenter-audit", "defenter-config", "defenter-policy"];

/// Runtimes, and what brings one along.
const RUNTIMES: [&str; 5] = ["tokio", "ractor", "axum", "hyper", "reqwest"];

/// What cargo knows about our crates and all that they need on any system.
static METADATA: LazyLock<Value> = LazyLock::new(|| {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--manifest-path"])
        .arg(Path::new(ROOT).join("Cargo.toml"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo tells JSON")
});

static DENY: LazyLock<DocumentMut> = LazyLock::new(|| {
    let text = fs::read_to_string(Path::new(ROOT).join("deny.toml")).expect("a deny.toml");
    text.parse().expect("deny.toml is TOML")
});

/// A package, as cargo tells it.
fn packages() -> impl Iterator<Item = &'static Value> {
    METADATA["packages"].as_array().expect("packages").iter()
}

fn ours() -> impl Iterator<Item = &'static Value> {
    packages().filter(|package| package["source"].is_null())
}

fn name(package: &Value) -> &str {
    package["name"].as_str().expect("a package has a name")
}

/// The names of what a package depends on, for the program and not for its tests.
fn needs(package: &Value) -> BTreeSet<&str> {
    let dependencies = package["dependencies"].as_array().expect("dependencies").iter();
    dependencies.filter(|it| it["kind"].is_null()).map(name).collect()
}

fn list(item: &'static Item) -> Vec<&'static toml_edit::Value> {
    item.as_array().expect("a list in deny.toml").iter().collect()
}

#[test]
fn our_crates_depend_only_on_whom_they_may_know() {
    let arrows: BTreeMap<_, _> = ARROWS.into_iter().collect();
    let found: BTreeSet<_> = ours().map(name).collect();
    assert_eq!(found, arrows.keys().copied().collect(), "every crate of ours has its arrows");
    for package in ours() {
        let allowed: BTreeSet<String> =
            arrows[name(package)].iter().map(|it| format!("defenter-{it}")).collect();
        let mut known = needs(package).into_iter().filter(|it| it.starts_with("defenter"));
        let stranger = known.find(|it| !allowed.contains(*it));
        assert_eq!(stranger, None, "{} may not know it", name(package));
    }
}

#[test]
fn pure_crates_know_no_runtime_and_only_actors_knows_ractor() {
    for package in ours() {
        let needs = needs(package);
        if PURE.contains(&name(package)) {
            let runtime = RUNTIMES.into_iter().find(|it| needs.contains(it));
            assert_eq!(runtime, None, "{} is a pure library", name(package));
        }
        let may = name(package) == "defenter-actors";
        assert!(may || !needs.contains("ractor"), "{} knows ractor", name(package));
    }
}

#[test]
fn every_dependency_has_a_licence_that_we_take() {
    let allowed: BTreeSet<&str> =
        list(&DENY["licenses"]["allow"]).into_iter().filter_map(|it| it.as_str()).collect();
    for package in packages() {
        let licence = package["license"].as_str().unwrap_or_else(|| {
            panic!("{} names no licence", name(package));
        });
        assert!(satisfies(licence, &allowed), "{}: {licence}", name(package));
    }
}

#[test]
fn no_banned_crate_comes_in() {
    let banned: BTreeSet<&str> = list(&DENY["bans"]["deny"])
        .into_iter()
        .filter_map(|it| it.as_inline_table()?.get("name")?.as_str())
        .collect();
    assert!(!banned.is_empty());
    let found: Vec<_> = packages().map(name).filter(|it| banned.contains(it)).collect();
    assert_eq!(found, Vec::<&str>::new());
}

#[test]
fn every_dependency_comes_from_the_one_registry_and_has_a_version() {
    const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";
    for package in packages() {
        let source = package["source"].as_str();
        assert!(source.is_none_or(|it| it == REGISTRY), "{}: {source:?}", name(package));
        let local = package["source"].is_null();
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let wild = dependency["req"] == "*" && dependency["path"].is_null();
            assert!(!local || !wild, "{} of {}", name(dependency), name(package));
        }
    }
}

#[test]
fn lock_files_name_no_addresses_to_fetch_from() {
    let lock = Path::new(ROOT).join("tests/servers/npm/package-lock.json");
    let lock: Value =
        serde_json::from_slice(&fs::read(lock).expect("a lock file")).expect("it is JSON");
    for (path, package) in lock["packages"].as_object().expect("packages") {
        assert!(package.get("resolved").is_none(), "{path} says where it was fetched");
        assert!(path.is_empty() || package["integrity"].is_string(), "{path} has no hash");
    }
    let lock = Path::new(ROOT).join("tests/servers/python/requirements.txt");
    let lock = fs::read_to_string(lock).expect("a lock file");
    assert!(!lock.contains("://"), "{lock}");
    assert!(lock.contains("--hash=sha256:"));
}

/// Whether an SPDX expression can be met with the licences of `allowed`.
fn satisfies(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    // Old manifests write a slash for OR.
    let text = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut rest = &words[..];
    let met = any_of(&mut rest, allowed);
    assert!(rest.is_empty(), "cannot read the licence {expression:?}");
    met
}

fn any_of(words: &mut &[&str], allowed: &BTreeSet<&str>) -> bool {
    let mut met = all_of(words, allowed);
    while take(words, "OR") {
        met |= all_of(words, allowed);
    }
    met
}

fn all_of(words: &mut &[&str], allowed: &BTreeSet<&str>) -> bool {
    let mut met = one(words, allowed);
    while take(words, "AND") {
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut &[&str], allowed: &BTreeSet<&str>) -> bool {
    if take(words, "(") {
        let met = any_of(words, allowed);
        assert!(take(words, ")"), "an open parenthesis in a licence");
        return met;
    }
    let (licence, rest) = words.split_first().expect("a licence");
    *words = rest;
    if take(words, "WITH") {
        let (exception, rest) = words.split_first().expect("an exception");
        *words = rest;
        return allowed.contains(format!("{licence} WITH {exception}").as_str());
    }
    allowed.contains(licence)
}

fn take(words: &mut &[&str], word: &str) -> bool {
    let found = words.first() == Some(&word);
    if found {
        *words = &words[1..];
    }
    found
}

#[test]
fn licence_expressions_are_read_as_spdx_says() {
    let allowed = BTreeSet::from(["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"]);
    for (expression, met) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("GPL-3.0-only OR MIT", true),
        ("MIT/GPL-3.0-only", true),
        ("MIT AND GPL-3.0-only", false),
        ("MIT AND GPL-3.0-only OR Apache-2.0", true),
        ("(MIT OR GPL-3.0-only) AND Apache-2.0", true),
        ("(MIT OR Apache-2.0) AND GPL-3.0-only", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("Apache-2.0 WITH Other-exception", false),
    ] {
        assert_eq!(satisfies(expression, &allowed), met, "{expression}");
    }
}
