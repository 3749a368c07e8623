use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use defenter_redact::Kind;
use proptest::prelude::*;

use super::*;
use crate::{Layer, LayerKind, OperationView, PolicySet, Preset, build};

const NOW: u64 = 1_795_520_400_000;

/// Asks about everything that leaves, mildly; and about notes, gravely.
const RULES: &str = r#"
    @id("egress") @severity("medium") forbid (principal, action == Action::"tools/call", resource)
    when { context.tool_class == ToolClass::"egress" } unless { context.user_confirmed };
    @id("mail") @severity("low") forbid (principal, action == Action::"tools/call", resource)
    when { context.findings.contains(FindingKind::"email") } unless { context.user_confirmed };
    @id("grave") forbid (principal, action == Action::"tools/call", resource)
    when { context.tool == "note" } unless { context.user_confirmed };
"#;

static POLICY: LazyLock<PolicySet> = LazyLock::new(|| {
    let layer =
        Layer { kind: LayerKind::User, path: PathBuf::from("rules.cedar"), text: RULES.to_owned() };
    PolicySet::compile(Preset::Balanced, &[layer]).unwrap()
});

fn call(tool: &str, arguments: &str) -> Facts {
    let payload = format!(r#"{{"name":"{tool}","arguments":{arguments}}}"#);
    build(&OperationView {
        client: "claude-code",
        server: "web",
        method: "tools/call",
        direction: Direction::ToServer,
        phase: Phase::Request,
        tool: Some(tool),
        destructive_hint: false,
        hints: Default::default(),
        uri: None,
        payload: payload.as_bytes(),
        redacted: payload.as_bytes(),
        kinds: &[],
        size: payload.len(),
        home: Some(Path::new("/home/ann")),
        roots: &[PathBuf::from("/home/ann/project")],
        intent: false,
        session: SessionFlags::default(),
    })
}

fn context() -> GrantContext<'static> {
    GrantContext {
        session: "s-1",
        workspace: "/home/ann/project",
        pin: "pin-1",
        policy: "policy-1",
        arguments: "hash-1",
        now: NOW,
    }
}

fn workspace() -> GrantScope {
    GrantScope::Workspace(Arc::from("/home/ann/project"))
}

fn grant(facts: &Facts) -> Option<Grant> {
    let decision = POLICY.decide(facts);
    Grant::new("g-1", GrantAnswer::Allow, workspace(), facts, &decision, &context())
}

fn covers(grant: &Grant, facts: &Facts, context: &GrantContext<'_>) -> bool {
    grant.covers(facts, &POLICY.decide(facts), context)
}

fn fetch(url: &str) -> Facts {
    call("fetch", &format!(r#"{{"url":"{url}"}}"#))
}

#[test]
fn a_grant_answers_the_same_question_again() {
    let facts = fetch("https://docs.example/a");
    let given = grant(&facts).unwrap();
    assert!(covers(&given, &facts, &context()));
    assert!(covers(
        &given,
        &fetch("https://docs.example/b"),
        &GrantContext { arguments: "hash-2", ..context() }
    ));
    let mut grants = Grants::default();
    grants.give(given);
    let decision = POLICY.decide(&facts);
    assert_eq!(grants.answer(&facts, &decision, &context()).unwrap().answer, GrantAnswer::Allow);
}

#[test]
fn a_grant_answers_no_other_question() {
    let facts = fetch("https://docs.example/a");
    let given = grant(&facts).unwrap();
    let other_session = SessionFlags { untrusted_in: true, ..SessionFlags::default() };
    for other in [
        fetch("https://evil.example/a"),
        Facts { client: Arc::from("cursor"), ..facts.clone() },
        Facts { server: Arc::from("web2"), ..facts.clone() },
        Facts { tool: Some(Arc::from("fetch2")), ..facts.clone() },
        Facts { direction: Direction::ToClient, ..facts.clone() },
        Facts { phase: Phase::Result, ..facts.clone() },
        Facts { session: other_session, ..facts.clone() },
        Facts { paths_outside_roots: 1, ..facts.clone() },
        Facts { finding_kinds: BTreeSet::from([Kind::Email]), ..facts.clone() },
        Facts { finding_kinds: BTreeSet::from([Kind::Phone]), ..facts.clone() },
        Facts { has_secret: true, ..facts.clone() },
        Facts { metadata_host: true, ..facts.clone() },
        call("list_files", "{}"),
    ] {
        assert!(!covers(&given, &other, &context()), "{other:?}");
    }
    for other in [
        GrantContext { workspace: "/home/ann/other", ..context() },
        GrantContext { workspace: "", ..context() },
        GrantContext { pin: "pin-2", ..context() },
        GrantContext { policy: "policy-2", ..context() },
        GrantContext { now: NOW + IDLE_LIFETIME_MS, ..context() },
        GrantContext { now: NOW - 1, ..context() },
    ] {
        assert!(!covers(&given, &facts, &other), "{other:?}");
    }
    assert!(covers(&given, &facts, &GrantContext { session: "s-2", ..context() }));
}

#[test]
fn what_cannot_be_undone_is_never_remembered() {
    let secret = Facts { has_secret: true, ..fetch("https://docs.example/a") };
    for facts in
        [call("delete_file", r#"{"path":"a"}"#), call("note", "{}"), secret, call("get", "{}")]
    {
        assert_eq!(grant(&facts), None, "{facts:?}");
    }
    let blocked = Facts { metadata_host: true, ..fetch("https://docs.example/a") };
    assert_eq!(grant(&blocked), None);
}

#[test]
fn where_nothing_narrows_a_grant_it_is_for_the_same_arguments() {
    let facts = call("send", r#"{"to":"ann"}"#);
    let given = grant(&facts).unwrap();
    assert!(covers(&given, &facts, &context()));
    assert!(!covers(&given, &facts, &GrantContext { arguments: "hash-2", ..context() }));
}

#[test]
fn a_refusal_is_remembered_for_the_session_and_goes_first() {
    let facts = fetch("https://docs.example/a");
    let decision = POLICY.decide(&facts);
    let make =
        |id: &str, answer, scope| Grant::new(id, answer, scope, &facts, &decision, &context());
    assert_eq!(make("d", GrantAnswer::Deny, workspace()), None);
    let session = GrantScope::Session(Arc::from("s-1"));
    let mut grants = Grants::default();
    grants.give(make("a", GrantAnswer::Allow, workspace()).unwrap());
    grants.give(make("d", GrantAnswer::Deny, session.clone()).unwrap());
    let answer = |grants: &Grants, session| {
        let context = GrantContext { session, ..context() };
        grants.answer(&facts, &decision, &context).map(|grant| grant.answer)
    };
    assert_eq!(answer(&grants, "s-1"), Some(GrantAnswer::Deny));
    assert_eq!(answer(&grants, "s-2"), Some(GrantAnswer::Allow));
    grants.revoke("a", NOW).unwrap();
    assert_eq!(answer(&grants, "s-2"), None);

    let grave = call("delete_file", "{}");
    let decision = POLICY.decide(&grave);
    let refusal = Grant::new("g", GrantAnswer::Deny, session, &grave, &decision, &context());
    assert!(refusal.unwrap().covers(&grave, &decision, &context()));
}

#[test]
fn use_lengthens_a_life_up_to_its_end() {
    let facts = fetch("https://docs.example/a");
    let mut grants = Grants::default();
    grants.give(grant(&facts).unwrap());
    let day = 86_400_000;
    for days in [20, 45, 70, 89] {
        grants.note_use("g-1", NOW + days * day).unwrap();
    }
    let given = grants.iter().next().unwrap();
    assert_eq!(given.expires(), NOW + MAX_LIFETIME_MS);
    grants.note_use("g-1", NOW + 200 * day).unwrap();
    assert_eq!(grants.iter().next().unwrap().expires(), NOW + MAX_LIFETIME_MS);
    assert!(grants.lines(NOW + 91 * day).is_empty());
    assert_eq!(grants.note_use("g-2", NOW), None);
}

#[test]
fn a_file_that_cannot_be_read_is_not_used() {
    let mut grants = Grants::default();
    let good = grants.give(grant(&fetch("https://docs.example/a")).unwrap());
    for (text, line) in [
        (format!("{good}{{\"event\":\"given\"}}\n"), 2),
        (format!("{good}{good}{{\"event\":\"revo"), 3),
        ("[]".to_owned(), 1),
        (good.replace("\"limit\"", "\"limits\""), 1),
        (good.replace("\"event\":\"given\"", "\"event\":\"offered\""), 1),
    ] {
        match Grants::parse(&text) {
            Err(GrantsError::Line { line: found, .. }) => assert_eq!(found, line, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    let large = " ".repeat(MAX_FILE + 1);
    assert!(matches!(Grants::parse(&large), Err(GrantsError::TooLarge { .. })));
}

#[test]
fn the_number_of_grants_is_bounded() {
    let given = grant(&fetch("https://docs.example/a")).unwrap();
    let mut grants = Grants::default();
    for n in 0..MAX_GRANTS + 10 {
        let time = NOW + u64::try_from(n).unwrap();
        grants.give(Grant { id: Arc::from(n.to_string()), used: time, ..given.clone() });
    }
    assert_eq!(grants.iter().count(), MAX_GRANTS);
    assert!(grants.iter().all(|grant| grant.used >= NOW + 10));
}

proptest! {
    #[test]
    fn the_file_says_what_memory_says(
        steps in proptest::collection::vec((0u8..3, 0u8..4, 0u64..100), 0..40)
    ) {
        let given = grant(&fetch("https://docs.example/a")).unwrap();
        let mut grants = Grants::default();
        let mut file = String::new();
        for (step, id, days) in steps {
            let (id, now) = (id.to_string(), NOW + days * 86_400_000);
            file += &match step {
                0 => grants.give(Grant { id: Arc::from(id), given: now, used: now, ..given.clone() }),
                1 => grants.note_use(&id, now).unwrap_or_default(),
                _ => grants.revoke(&id, now).unwrap_or_default(),
            };
        }
        let read = Grants::parse(&file).unwrap();
        prop_assert_eq!(&read.by_id, &grants.by_id);
        let rewritten = Grants::parse(&grants.lines(0)).unwrap();
        prop_assert_eq!(&rewritten.by_id, &grants.by_id);
    }
}
