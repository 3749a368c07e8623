//! What is changed in a file with hooks between install and uninstall is kept, and nothing else
//! stays: `uninstall(edit(install(x))) == edit(x)`, for any file of any client.

use std::collections::BTreeMap;
use std::fs;

use defenter_config::hooks::{HookJournal, HookPlan};
use defenter_config::{Host, Os};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::trees::scratch;

/// The files that hold hooks among other things.
const FILES: &[&str] = &[
    ".claude/settings.json",
    ".codex/hooks.json",
    ".gemini/settings.json",
    ".factory/hooks.json",
    ".cursor/hooks.json",
    ".codeium/windsurf/hooks.json",
    ".copilot/hooks/defenter.json",
    ".kiro/hooks/defenter.json",
    ".kiro/agents/one.json",
    ".aws/amazonq/cli-agents/one.json",
    ".gemini/config/hooks.json",
    ".config/crush/crush.json",
];
/// What is edited in between.
const MARK: (&str, &str) = ("as it was", "as it was changed");

/// A value of a file that a client reads hooks from; seldom one where the hooks have no place.
fn settings() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9i64..99).prop_map(Value::from),
        "[a-z \"\\\\é/{}\\[\\],:]{0,8}".prop_map(Value::from),
    ];
    let inner = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,5}", inner, 0..4)
                .prop_map(|map| { Value::Object(map.into_iter().collect()) }),
        ]
    });
    let event = prop_oneof![
        Just("PreToolUse"),
        Just("BeforeTool"),
        Just("preToolUse"),
        Just("beforeReadFile"),
        Just("pre_run_command"),
        Just("Stop"),
    ];
    let theirs = prop_oneof![
        Just(json!({"hooks": [{"type": "command", "command": "true"}]})),
        Just(json!({"command": "npx hook", "timeout": 5})),
        Just(json!({"matcher": "Bash", "hooks": []})),
    ];
    let lists = prop::collection::vec(theirs, 0..3).prop_map(Value::from);
    let hooks = prop_oneof![
        4 => prop::collection::btree_map(event.prop_map(str::to_owned), lists, 0..3)
            .prop_map(|map| Some(Value::Object(map.into_iter().collect()))),
        4 => Just(None),
        1 => inner.clone().prop_map(Some),
    ];
    let rest = prop::collection::btree_map("[a-zA-Z]{1,6}", inner, 0..4);
    (rest, hooks, any::<bool>()).prop_map(|(rest, hooks, is_last)| {
        let mut map: Map<String, Value> = rest.into_iter().collect();
        if !is_last {
            map.extend(hooks.clone().map(|hooks| ("hooks".to_owned(), hooks)));
        }
        map.insert("mark".to_owned(), MARK.0.into());
        if is_last {
            map.extend(hooks.map(|hooks| ("hooks".to_owned(), hooks)));
        }
        Value::Object(map)
    })
}

/// The text of a value in one of the ways in which people and programs write it.
fn written(value: &Value, style: u8) -> String {
    let pretty = || serde_json::to_string_pretty(value).expect("JSON");
    match style % 5 {
        0 => value.to_string(),
        1 => pretty() + "\n",
        2 => pretty().replace("  ", "\t").replace('\n', "\r\n"),
        3 => format!("// mine\n{}\n/* end */", pretty()),
        _ => format!("\u{feff}{}", pretty()),
    }
}

fn apply(plan: &HookPlan, journal: &HookJournal) {
    for outcome in plan.apply(journal).expect("the records are free") {
        outcome.result.expect("applied");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn edits_beside_hooks_are_kept_and_everything_else_is_as_it_was(
        values in prop::collection::vec((settings(), any::<u8>()), FILES.len()),
        edits in prop::collection::vec(any::<bool>(), FILES.len()),
    ) {
        let root = scratch();
        let host = Host::new(Os::Linux, root.path(), BTreeMap::new());
        let journal = HookJournal::new(root.path().join("state"));
        let path = |file: &str| root.path().join(file);
        let mut expected = Vec::new();
        for (file, (value, style)) in FILES.iter().zip(&values) {
            let text = written(value, *style);
            fs::create_dir_all(path(file).parent().expect("a folder")).expect("a folder");
            fs::write(path(file), &text).expect("written");
            expected.push(text);
        }
        let plan = HookPlan::install(&host, &[], "/d/defenter", &journal).expect("a plan");
        let skipped = &plan.skipped;
        prop_assert!(plan.files.len() + skipped.len() >= FILES.len(), "{skipped:?}");
        prop_assert!(plan.files.len() >= FILES.len() / 3, "{skipped:?}");
        apply(&plan, &journal);
        let again = HookPlan::install(&host, &[], "/d/defenter", &journal).expect("a plan");
        prop_assert!(again.files.is_empty(), "the second time changes {:?}", again.files);
        for ((file, text), is_edited) in FILES.iter().zip(&mut expected).zip(&edits) {
            if *is_edited {
                let now = fs::read_to_string(path(file)).expect("text");
                fs::write(path(file), now.replacen(MARK.0, MARK.1, 1)).expect("written");
                *text = text.replacen(MARK.0, MARK.1, 1);
            }
        }
        let plan = HookPlan::uninstall(&host, &[], &journal).expect("a plan");
        apply(&plan, &journal);
        for (file, text) in FILES.iter().zip(&expected) {
            prop_assert_eq!(&fs::read_to_string(path(file)).expect("text"), text, "{}", file);
        }
        let left = fs::read_dir(root.path().join("state")).map_or(0, |names| {
            names.flatten().filter(|name| name.path().extension().is_some()).count()
        });
        prop_assert_eq!(left, 0, "records are left");
    }
}
