//! The files in `examples/`: each is read the way the program that it is meant for reads it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use defenter_actors::dialog::Answer;
use defenter_actors::metrics::{
    self, Decision, Direction, DropReason, METRICS, Place, Queue, RestartReason,
};
use defenter_config::settings::{Settings, Source, Sources};
use defenter_policy::{Layer, LayerKind, PolicySet, Preset};

use crate::promtool;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

fn text(path: &str) -> String {
    std::fs::read_to_string(examples().join(path)).unwrap()
}

/// The expressions of the alert rules, their continued lines joined.
fn alert_expressions() -> Vec<String> {
    let alerts = text("prometheus/alerts.yml");
    let mut expressions: Vec<String> = Vec::new();
    let mut inside = false;
    for line in alerts.lines() {
        let trimmed = line.trim_start();
        if let Some(expression) = trimmed.strip_prefix("expr: ") {
            expressions.push(expression.trim_start_matches(">-").to_owned());
            inside = expression == ">-";
        } else if trimmed.contains(": ") || trimmed.ends_with(':') {
            inside = false;
        } else if let (true, Some(last)) = (inside, expressions.last_mut()) {
            last.push(' ');
            last.push_str(trimmed);
        }
    }
    expressions
}

fn dashboard() -> serde_json::Value {
    serde_json::from_str(&text("grafana/defenter.json")).unwrap()
}

/// The expressions of the dashboard: its panels' and its variables'.
fn dashboard_expressions() -> Vec<String> {
    let board = dashboard();
    let panels = board["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap());
    let variables = board["templating"]["list"].as_array().unwrap().iter();
    targets
        .map(|target| target["expr"].as_str().unwrap().to_owned())
        .chain(variables.filter_map(|variable| variable["definition"].as_str().map(str::to_owned)))
        .collect()
}

/// The metrics that an expression names, each with the selectors in its braces.
fn selections(expression: &str) -> Vec<(&str, &str)> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(start) = rest.find(word) {
        let tail = &rest[start..];
        let end = tail.find(|c| !word(c)).unwrap_or(tail.len());
        let (name, after) = tail.split_at(end);
        let selectors = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        if name.starts_with("defenter_") || name.starts_with("process_") {
            found.push((name, selectors.map_or("", |(inner, _)| inner)));
        }
        rest = selectors.map_or(after, |(_, after)| after);
    }
    found
}

/// The values that a label with a closed set may have.
fn closed_sets() -> BTreeMap<&'static str, Vec<&'static str>> {
    let decisions =
        [Decision::Allow, Decision::Redact, Decision::Confirm, Decision::NeedInfo, Decision::Block];
    BTreeMap::from([
        ("answer", Answer::ALL.map(Answer::label).to_vec()),
        ("decision", decisions.map(Decision::label).to_vec()),
        ("direction", Direction::ALL.map(Direction::label).to_vec()),
        ("place", Place::ALL.map(Place::label).to_vec()),
        ("queue", Queue::ALL.map(Queue::label).to_vec()),
    ])
}

/// The values that the label `reason` may have; which, depends on the metric.
fn reasons(metric: &str) -> Vec<&'static str> {
    match metric {
        metrics::DROPPED => DropReason::ALL.map(DropReason::label).to_vec(),
        _ => RestartReason::ALL.map(RestartReason::label).to_vec(),
    }
}

fn check_selector(metric: &metrics::Metric, selector: &str) {
    let end = selector.find(['=', '!']).unwrap();
    let (label, value) = selector.split_at(end);
    let label = label.trim();
    let scraped = ["job", "instance"].contains(&label);
    assert!(metric.labels.contains(&label) || scraped, "{} has no label {label}", metric.name);
    let value = value.trim_start_matches(['=', '!', '~']).trim_matches('"');
    let allowed = match label {
        "reason" => Some(reasons(metric.name)),
        _ => closed_sets().get(label).cloned(),
    };
    if let Some(allowed) = allowed {
        for one in value.split('|') {
            assert!(allowed.contains(&one), "{label} of {} is never {one}", metric.name);
        }
    }
}

#[test]
fn alerts_and_dashboard_name_only_what_exists() {
    let (alerts, board) = (alert_expressions(), dashboard_expressions());
    assert!(alerts.len() > 5 && board.len() > 10, "{} and {}", alerts.len(), board.len());
    for expression in alerts.iter().chain(&board) {
        for (name, selectors) in selections(expression) {
            let found = metrics::find(name);
            assert!(found.is_some(), "there is no metric {name}, used in {expression}");
            let metric = found.unwrap();
            for selector in selectors.split(',').filter(|selector| !selector.trim().is_empty()) {
                check_selector(metric, selector);
            }
        }
    }
}

#[test]
fn the_dashboard_shows_every_metric_of_ours() {
    let expressions = dashboard_expressions();
    for metric in METRICS.iter().filter(|metric| metric.name.starts_with("defenter_")) {
        let shown = expressions
            .iter()
            .flat_map(|expression| selections(expression))
            .any(|(name, _)| metrics::find(name).is_some_and(|found| found.name == metric.name));
        assert!(shown, "{} is on no panel", metric.name);
    }
}

/// To write the table anew, take the lines from this test's message.
#[test]
fn the_readme_tells_of_every_metric() {
    let readme = text("README.md");
    let missing: Vec<String> = METRICS
        .iter()
        .map(|metric| {
            let kind = format!("{:?}", metric.kind).to_lowercase();
            let labels: Vec<String> =
                metric.labels.iter().map(|label| format!("`{label}`")).collect();
            format!("| `{}` | {kind} | {} | {} |", metric.name, labels.join(" "), metric.help)
        })
        .filter(|row| !readme.lines().any(|line| line == row))
        .collect();
    assert!(missing.is_empty(), "not in the README:\n{}", missing.join("\n"));
}

#[test]
fn the_dashboard_has_no_two_panels_of_one_id_or_place() {
    let board = dashboard();
    let panels = board["panels"].as_array().unwrap();
    let mut taken = std::collections::BTreeSet::new();
    for panel in panels {
        assert!(taken.insert(panel["id"].to_string()), "{panel}");
        let place = &panel["gridPos"];
        let number = |key: &str| place[key].as_u64().unwrap();
        assert!(number("x") + number("w") <= 24, "{place}");
        for x in number("x")..number("x") + number("w") {
            for y in number("y")..number("y") + number("h") {
                assert!(taken.insert(format!("{x} {y}")), "{place} overlaps at {x} {y}");
            }
        }
    }
}

#[test]
fn prometheus_takes_its_files() {
    let folder = examples().join("prometheus");
    for arguments in [
        ["check", "config", "prometheus.yml"],
        ["check", "rules", "alerts.yml"],
        ["test", "rules", "alerts_test.yml"],
    ] {
        promtool::run(&arguments, &folder, "").unwrap();
    }
}

#[test]
fn the_scrape_goes_to_the_default_address() {
    let listen = Settings::default().console.listen;
    assert!(text("prometheus/prometheus.yml").contains(&format!("targets: [\"{listen}\"]")));
}

#[test]
fn the_settings_load_without_a_warning_and_differ_from_the_defaults() {
    let path = examples().join("config.json");
    let user = Source::read(&path).unwrap();
    assert!(user.is_some(), "{} is there", path.display());
    let sources =
        Sources { organisation: None, user, legacy: None, env: BTreeMap::new(), flags: Vec::new() };
    let loaded = sources.load().unwrap();
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    let same: Vec<String> = loaded
        .explain_all()
        .into_iter()
        .filter(|it| it.origin != defenter_config::settings::Origin::Default)
        .filter(|it| it.value == it.default)
        .map(|it| it.key)
        .collect();
    assert!(same.is_empty(), "these are the defaults: {same:?}");
}

#[test]
fn the_policies_compile_with_every_preset() {
    let mut layers = Vec::new();
    for entry in std::fs::read_dir(examples().join("policy.d")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        layers.push(Layer { kind: LayerKind::User, path, text });
    }
    assert!(!layers.is_empty());
    for preset in [Preset::Balanced, Preset::Strict, Preset::ReadOnly, Preset::Observe] {
        let set = PolicySet::compile(preset, &layers).unwrap();
        assert!(
            set.rules()
                .any(|(id, layer)| { layer == LayerKind::User && id.starts_with("personal.") })
        );
    }
}
