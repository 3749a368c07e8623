use std::path::PathBuf;

use defenter_redact::Kind;
use proptest::prelude::*;

use super::*;
use crate::facts::{
    Direction, FACTS_VERSION, Phase, ProtectedPath, SessionFlags, ToolClass, ToolHints,
};

fn quiet(method: &str, phase: Phase) -> Facts {
    Facts {
        version: FACTS_VERSION,
        client: Arc::from("test-client"),
        server: Arc::from("files"),
        method: Arc::from(method),
        direction: Direction::ToServer,
        phase,
        tool: None,
        tool_class: ToolClass::Unknown,
        hints: ToolHints::default(),
        finding_kinds: BTreeSet::new(),
        has_secret: false,
        has_personal_data: false,
        paths: 0,
        paths_outside_roots: 0,
        protected_paths: BTreeSet::new(),
        hosts: BTreeSet::new(),
        private_hosts: false,
        metadata_host: false,
        hidden_text: false,
        terminal_escapes: false,
        asks_sampling: false,
        asks_url: false,
        asks_secret: false,
        size_kib: 1,
        intent: false,
        session: SessionFlags::default(),
    }
}

fn call(tool: &str) -> Facts {
    Facts {
        tool: Some(Arc::from(tool)),
        tool_class: crate::classify_tool(tool),
        ..quiet("tools/call", Phase::Request)
    }
}

fn preset(preset: Preset) -> PolicySet {
    PolicySet::compile(preset, &[]).unwrap()
}

fn layer(kind: LayerKind, text: &str) -> Layer {
    Layer { kind, path: PathBuf::from("rules.cedar"), text: text.to_owned() }
}

fn user(text: &str) -> PolicySet {
    PolicySet::compile(Preset::Balanced, &[layer(LayerKind::User, text)]).unwrap()
}

fn error(kind: LayerKind, text: &str) -> String {
    PolicySet::compile(Preset::Balanced, &[layer(kind, text)]).unwrap_err().to_string()
}

fn ids(decision: &Decision) -> Vec<&str> {
    decision.rules.iter().map(|rule| &*rule.id).collect()
}

#[test]
fn the_builtin_files_fit_the_schema() {
    let vocabulary = Vocabulary::new().unwrap();
    let validator = validator().unwrap();
    for (name, text) in Preset::ALL.iter().flat_map(|preset| preset.files()) {
        let rules =
            layer::read(LayerKind::Builtin, Path::new(name), text, &vocabulary, Some(&validator));
        for rule in rules.unwrap() {
            assert!(rule.id.starts_with("builtin."), "{}", rule.id);
            assert!(!rule.reason.starts_with("the rule "), "{} has no reason", rule.id);
        }
    }
}

#[test]
fn requests_fit_the_schema() {
    let vocabulary = Vocabulary::new().unwrap();
    let (schema, _) = Schema::from_cedarschema_str(PolicySet::schema()).unwrap();
    for action in Action::all() {
        let facts = Facts { tool: Some(Arc::from("x")), ..quiet("any", Phase::Request) };
        let lifts = Lifts { intent: true, ..Lifts::default() };
        let everything = Mentions::everything();
        let request = vocabulary.request(&facts, action, lifts, everything).unwrap();
        Request::new(
            request.principal().unwrap().clone(),
            request.action().unwrap().clone(),
            request.resource().unwrap().clone(),
            request.context().unwrap().clone(),
            Some(&schema),
        )
        .unwrap();
    }
}

#[test]
fn protocol_traffic_is_never_held() {
    for p in [Preset::Balanced, Preset::Strict, Preset::ReadOnly, Preset::Observe] {
        let set = preset(p);
        for method in [
            "initialize",
            "server/discover",
            "ping",
            "tools/list",
            "prompts/list",
            "resources/list",
        ] {
            for phase in [Phase::Request, Phase::Result] {
                let facts = Facts { has_secret: true, ..quiet(method, phase) };
                assert_eq!(set.decide(&facts).effect, Effect::Allow, "{p} {method} {phase:?}");
            }
        }
        for method in ["notifications/progress", "notifications/cancelled", "x/unknown"] {
            let facts = quiet(method, Phase::Notification);
            assert_eq!(set.decide(&facts).effect, Effect::Allow, "{p} {method}");
        }
        let result = Facts { has_secret: true, ..quiet("tools/call", Phase::Result) };
        assert_eq!(set.decide(&result).effect, Effect::Allow);
    }
}

#[test]
fn balanced_decides() {
    let set = preset(Preset::Balanced);
    let with = |path: ProtectedPath, tool: &str| Facts {
        protected_paths: BTreeSet::from([path]),
        ..call(tool)
    };
    for (facts, wanted, rule) in [
        (call("read_file"), Effect::Allow, ""),
        (call("write_file"), Effect::Allow, ""),
        (call("sequentialthinking"), Effect::Allow, ""),
        (call("execute_command"), Effect::Allow, ""),
        (quiet("x/unknown", Phase::Request), Effect::Allow, ""),
        (call("delete_file"), Effect::Confirm, "builtin.destructive-tool"),
        (Facts { has_secret: true, ..call("echo") }, Effect::Confirm, "builtin.secret-argument"),
        (Facts { has_personal_data: true, ..call("echo") }, Effect::Allow, ""),
        (Facts { metadata_host: true, ..call("fetch") }, Effect::Block, "builtin.metadata-host"),
        (Facts { private_hosts: true, ..call("fetch") }, Effect::Allow, ""),
        (Facts { hidden_text: true, ..call("echo") }, Effect::Block, "builtin.hidden-request"),
        (
            Facts { hidden_text: true, ..quiet("tools/list", Phase::Result) },
            Effect::Block,
            "builtin.hidden-definition",
        ),
        (Facts { hidden_text: true, ..quiet("tools/call", Phase::Result) }, Effect::Allow, ""),
        (with(ProtectedPath::KeyMaterial, "read_file"), Effect::Block, "builtin.key-material"),
        (with(ProtectedPath::Defenter, "read_file"), Effect::Block, "builtin.own-files"),
        (with(ProtectedPath::ShellStartup, "read_file"), Effect::Allow, ""),
        (with(ProtectedPath::ShellStartup, "write_file"), Effect::Block, "builtin.startup-write"),
        (with(ProtectedPath::GitHook, "run_shell"), Effect::Confirm, "builtin.startup-use"),
        (
            with(ProtectedPath::EditorSettings, "edit_file"),
            Effect::Confirm,
            "builtin.editor-settings",
        ),
        (with(ProtectedPath::EnvFile, "read_file"), Effect::Allow, ""),
        (
            Facts { asks_sampling: true, ..quiet("sampling/createMessage", Phase::Request) },
            Effect::Confirm,
            "builtin.sampling",
        ),
        (
            Facts { asks_sampling: true, ..quiet("tools/call", Phase::Result) },
            Effect::Confirm,
            "builtin.sampling",
        ),
        (quiet("elicitation/create", Phase::Request), Effect::Allow, ""),
        (
            Facts { asks_url: true, ..quiet("elicitation/create", Phase::Request) },
            Effect::Confirm,
            "builtin.elicitation-url",
        ),
        (
            Facts { asks_secret: true, ..quiet("elicitation/create", Phase::Request) },
            Effect::Confirm,
            "builtin.elicitation-secret",
        ),
    ] {
        let decision = set.decide(&facts);
        assert_eq!(decision.effect, wanted, "{facts:?}");
        assert!(decision.enforced && decision.wanted == wanted);
        let fired = ids(&decision);
        assert_eq!(fired.first().copied().unwrap_or_default(), rule, "{facts:?}");
        assert!(decision.rules.iter().all(|rule| !rule.reason.is_empty()));
    }
}

#[test]
fn strict_and_read_only_are_stricter() {
    let (strict, read_only) = (preset(Preset::Strict), preset(Preset::ReadOnly));
    for (facts, in_strict, in_read_only) in [
        (call("read_file"), Effect::Allow, Effect::Allow),
        (call("write_file"), Effect::Confirm, Effect::Block),
        (call("sequentialthinking"), Effect::Confirm, Effect::Block),
        (call("delete_file"), Effect::Confirm, Effect::Block),
        (Facts { has_secret: true, ..call("get") }, Effect::Block, Effect::Confirm),
        (Facts { paths_outside_roots: 1, ..call("get") }, Effect::Confirm, Effect::Allow),
    ] {
        assert_eq!(strict.decide(&facts).effect, in_strict, "strict {facts:?}");
        assert_eq!(read_only.decide(&facts).effect, in_read_only, "read-only {facts:?}");
    }
}

#[test]
fn observe_enforces_what_is_known_bad() {
    let organisation = r#"
        @id("org.no-echo")
        forbid (principal, action == Action::"tools/call", resource == Tool::"files/echo")
        unless { context.user_confirmed };
    "#;
    let set = PolicySet::compile(Preset::Observe, &[layer(LayerKind::Organisation, organisation)])
        .unwrap();
    let check = |facts: &Facts, effect, wanted| {
        let decision = set.decide(facts);
        assert_eq!((decision.effect, decision.wanted), (effect, wanted), "{facts:?}");
        assert_eq!(decision.enforced, effect == wanted);
    };
    check(&call("delete_file"), Effect::Allow, Effect::Confirm);
    check(&Facts { metadata_host: true, ..call("get") }, Effect::Block, Effect::Block);
    check(&call("echo"), Effect::Confirm, Effect::Confirm);
    let startup =
        Facts { protected_paths: BTreeSet::from([ProtectedPath::GitHook]), ..call("write_file") };
    check(&startup, Effect::Allow, Effect::Block);
}

#[test]
fn every_effect_can_be_written() {
    let set = user(
        r#"
        @id("a.block") forbid (principal, action, resource) when { context.tool == "block" };
        @id("b.need")  @need_fields("context.agent.intent, context.agent.plan")
        forbid (principal, action, resource) when { context.tool == "need" } unless { context has intent };
        @id("c.ask")   forbid (principal, action, resource) when { context.tool == "ask" } unless { context.user_confirmed };
        @id("d.redact") forbid (principal, action, resource)
        when { context.findings.contains(FindingKind::"email") } unless { context.redacted };
        @id("e.never") forbid (principal, action, resource)
        when { context.tool == "never" } unless { context.user_confirmed && context.redacted };
        @id("f.not-even") forbid (principal, action, resource)
        when { context.tool == "not-even" && context.user_confirmed };
        @id("g.asks")  forbid (principal, action, resource)
        when { context.tool == "not-even" } unless { context.user_confirmed };
        "#,
    );
    let check = |facts: &Facts, wanted: Effect, rules: &[&str]| {
        let decision = set.decide(facts);
        assert_eq!(decision.effect, wanted, "{facts:?}");
        assert_eq!(ids(&decision), rules);
        decision
    };
    let email = |tool: &str| Facts {
        finding_kinds: BTreeSet::from([Kind::Email]),
        has_personal_data: true,
        ..call(tool)
    };
    check(&call("none"), Effect::Allow, &[]);
    check(&call("block"), Effect::Block, &["a.block"]);
    let need = check(&call("need"), Effect::NeedInfo, &["b.need"]);
    let fields: Vec<_> = need.need_fields.iter().map(|field| &**field).collect();
    assert_eq!(fields, ["context.agent.intent", "context.agent.plan"]);
    check(&Facts { intent: true, ..call("need") }, Effect::Allow, &[]);
    check(&call("ask"), Effect::Confirm, &["c.ask"]);
    assert!(check(&email("x"), Effect::Redact, &["d.redact"]).redact);
    assert!(check(&email("ask"), Effect::Confirm, &["c.ask", "d.redact"]).redact);
    check(&call("never"), Effect::Block, &["e.never"]);
    check(&call("not-even"), Effect::Block, &["f.not-even", "g.asks"]);
}

#[test]
fn rules_can_be_about_a_server_a_tool_a_client_or_a_session() {
    let set = user(
        r#"
        forbid (principal, action, resource in Server::"files") when { context.tool == "by-server" };
        forbid (principal, action, resource == Tool::"files/by-tool");
        forbid (principal == Client::"other", action, resource);
        forbid (principal, action == Action::"tools/call", resource)
        when { context.session.untrusted_in && context.hosts.contains("evil.example") };
        forbid (principal, action in Action::"results", resource) when { context.size_kib > 100 };
        "#,
    );
    let effect = |facts: &Facts| set.decide(facts).effect;
    assert_eq!(effect(&call("by-server")), Effect::Block);
    assert_eq!(effect(&Facts { server: Arc::from("x"), ..call("by-server") }), Effect::Allow);
    assert_eq!(ids(&set.decide(&call("by-tool"))), ["rules.cedar:3"]);
    assert_eq!(effect(&Facts { server: Arc::from("files/by"), ..call("tool") }), Effect::Allow);
    assert_eq!(effect(&Facts { client: Arc::from("other"), ..call("x") }), Effect::Block);
    let hosts = BTreeSet::from([Arc::from("evil.example")]);
    let session = SessionFlags { untrusted_in: true, ..SessionFlags::default() };
    assert_eq!(effect(&Facts { hosts: hosts.clone(), ..call("x") }), Effect::Allow);
    assert_eq!(effect(&Facts { hosts, session, ..call("x") }), Effect::Block);
    assert_eq!(effect(&Facts { size_kib: 101, ..quiet("x/y", Phase::Result) }), Effect::Block);
}

#[test]
fn a_question_about_everything_is_not_asked_of_the_protocol() {
    let set = user(
        r#"forbid (principal, action, resource in Server::"files") unless { context.user_confirmed };"#,
    );
    assert_eq!(set.decide(&quiet("initialize", Phase::Request)).effect, Effect::Allow);
    assert_eq!(set.decide(&quiet("tools/list", Phase::Result)).effect, Effect::Allow);
    assert_eq!(set.decide(&call("echo")).effect, Effect::Confirm);
}

#[test]
fn an_evaluation_error_is_a_block() {
    // An overflow is the one error that validation cannot rule out.
    let set = user(
        r#"@id("overflow") forbid (principal, action, resource)
           when { context.size_kib * 9223372036854775807 == 3 && context.tool == "x" };"#,
    );
    let decision = set.decide(&Facts { size_kib: 2, ..call("echo") });
    assert_eq!(decision.effect, Effect::Block);
    assert_eq!(decision.severity(), Some(Severity::Critical));
    assert_eq!(ids(&decision), ["overflow"]);
}

#[test]
fn attributes_can_be_written_in_any_way() {
    for condition in [
        r#"context.has_secret"#,
        r#"context . has_secret"#,
        r#"context["has_secret"]"#,
        r#"context["has\u{5f}secret"]"#,
        r#"context has has_secret && context.has_secret"#,
        r#"[context].contains(context) && context.has_secret"#,
    ] {
        let text = format!("forbid (principal, action, resource) when {{ {condition} }};");
        let set = PolicySet::compile_with(&Options {
            layers: &[layer(LayerKind::User, &text)],
            disabled: &["builtin.secret-argument".to_owned()],
            ..Options::default()
        });
        let Ok(set) = set else { panic!("{condition}: {}", set.unwrap_err()) };
        assert_eq!(set.decide(&call("echo")).effect, Effect::Allow, "{condition}");
        let secret = Facts { has_secret: true, ..call("echo") };
        let decision = set.decide(&secret);
        assert_eq!(decision.effect, Effect::Block, "{condition}");
        assert!(decision.rules[0].reason.contains("forbids"), "{condition}");
    }
}

#[test]
fn mistakes_are_errors_with_their_place() {
    let user = LayerKind::User;
    for (text, place, message) in [
        ("forbid (principal, action, resource) when { context.writs };", "1:45", "writs"),
        ("\n\nforbid (principal, action, resource", "3:", "unexpected end"),
        (
            "// ü\n  forbid (principal, action == Action::\"tools/cal\", resource);",
            "2:",
            "tools/cal",
        ),
        (
            "forbid (principal, action, resource) when { context.tool_class == ToolClass::\"destroy\" };",
            "1:",
            "destroy",
        ),
        ("forbid (principal, action, resource) when { context.intent };", "1:", "intent"),
        ("forbid (principal, action, resource) when { context.size_kib > \"3\" };", "1:", "Long"),
        ("forbid (principal, action, resource) when { 1 == 2 };", "1:", "false"),
        ("\npermit (principal, action, resource);", "2:1", "cannot permit"),
        ("@sevrity(\"low\") forbid (principal, action, resource);", "1:1", "@sevrity"),
        ("@severity(\"bad\") forbid (principal, action, resource);", "1:1", "bad"),
        ("@id(\"builtin.x\") forbid (principal, action, resource);", "1:1", "builtin."),
        (
            "@id(\"a\") forbid (principal, action, resource);\n@id(\"a\") forbid (principal, action, resource);",
            "2:1",
            "twice",
        ),
        ("forbid (principal == ?principal, action, resource);", "1:1", "template"),
        (
            "forbid (principal, action == Action::\"tools/list\", resource) unless { context.user_confirmed };",
            "1:1",
            "never wait",
        ),
    ] {
        let error = error(user, text);
        assert!(error.contains(&format!("rules.cedar:{place}")), "{text}\n{error}");
        assert!(error.contains(message), "{text}\n{error}");
    }
    assert!(
        error(LayerKind::Workspace, "permit (principal, action, resource);").contains("permit")
    );
}

#[test]
fn hostile_files_are_refused_before_they_are_parsed() {
    let wrap =
        |condition: &str| format!("forbid (principal, action, resource) when {{ {condition} }};");
    for text in [
        wrap(&format!("{}true{}", "(".repeat(50_000), ")".repeat(50_000))),
        wrap(&format!("true{}", " && true".repeat(20_000))),
        wrap(&"if true then true else ".repeat(5_000)),
        "forbid (principal, action, resource);".repeat(1_001),
        " ".repeat(300_000),
    ] {
        let error = PolicySet::compile(Preset::Balanced, &[layer(LayerKind::Workspace, &text)]);
        assert!(matches!(error, Err(PolicyError::TooLarge { .. })), "{error:?}");
    }
}

#[test]
fn the_longest_rule_that_is_let_through_does_not_exhaust_the_stack() {
    let long = |unit: &str, end: &str| {
        let unit_count = 7_900 / unit.len();
        format!("forbid (principal, action, resource) when {{ {}{end} }};", unit.repeat(unit_count))
    };
    for text in [
        long("context.paths>1||", "context.paths>2"),
        long("if true then true else ", "context.has_secret"),
        long("1+", "1 == context.paths"),
        format!("forbid (principal, action, resource) when {{ context{} }};", ".a".repeat(3_900)),
        format!(
            "forbid (principal, action, resource) when {{ {}context.has_secret }};",
            "!".repeat(7_000)
        ),
    ] {
        // Whether it is accepted does not matter; that it returns does.
        if let Ok(set) = PolicySet::compile(Preset::Balanced, &[layer(LayerKind::Workspace, &text)])
        {
            let _ = set.decide(&call("echo"));
        }
    }
}

#[test]
fn builtin_rules_can_be_disabled_by_their_id() {
    let disabled = ["builtin.destructive-tool".to_owned(), "builtin.strict.change".to_owned()];
    let options = Options { disabled: &disabled, ..Options::default() };
    let set = PolicySet::compile_with(&options).unwrap();
    assert_eq!(set.decide(&call("delete_file")).effect, Effect::Allow);
    let disabled = ["builtin.destructive".to_owned()];
    let options = Options { disabled: &disabled, ..Options::default() };
    let error = PolicySet::compile_with(&options).unwrap_err().to_string();
    assert!(error.contains("builtin.destructive-tool"), "{error}");
}

#[test]
fn what_no_rule_looks_at_does_not_split_the_cache() {
    let set = preset(Preset::Balanced);
    let hosts = BTreeSet::from([Arc::from("a.example")]);
    let first = set.decide(&call("delete_file"));
    let second = set.decide(&Facts { hosts, paths: 3, size_kib: 9, ..call("delete_file") });
    assert!(Arc::ptr_eq(&first, &second));
    let third = set.decide(&Facts { metadata_host: true, ..call("delete_file") });
    assert_eq!(third.effect, Effect::Block);
}

#[test]
fn a_rule_may_look_at_what_the_server_says_of_a_tool() {
    let text = r#"@id("mine.open") @reason("x") @severity("low")
        forbid (principal, action == Action::"tools/call", resource)
        when { context.hints.open_world && !context.hints.read_only }
        unless { context.user_confirmed };"#;
    let set = PolicySet::compile(Preset::Balanced, &[layer(LayerKind::User, text)]).unwrap();
    let with = |hints| set.decide(&Facts { hints, ..call("get") }).effect;
    let open_world = ToolHints { open_world: true, ..ToolHints::default() };
    assert_eq!(with(ToolHints::default()), Effect::Allow);
    assert_eq!(with(open_world), Effect::Confirm);
    assert_eq!(with(ToolHints { read_only: true, ..open_world }), Effect::Allow);
}

#[test]
fn the_policy_can_be_shared() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&preset(Preset::Balanced));
}

fn any_facts() -> impl Strategy<Value = Facts> {
    let methods = prop_oneof![
        Just("tools/call"),
        Just("tools/list"),
        Just("resources/read"),
        Just("sampling/createMessage"),
        Just("initialize"),
        Just("x/y"),
    ];
    let phases = prop_oneof![Just(Phase::Request), Just(Phase::Result), Just(Phase::Notification)];
    let paths = proptest::sample::subsequence(ProtectedPath::ALL.to_vec(), 0..3);
    let kinds = proptest::sample::subsequence(Kind::ALL.to_vec(), 0..3);
    let class = proptest::sample::select(ToolClass::ALL.to_vec());
    (methods, phases, paths, kinds, class, any::<[bool; 8]>(), 0u64..300).prop_map(
        |(method, phase, paths, kinds, tool_class, bits, size_kib)| Facts {
            tool: Some(Arc::from("tool")),
            tool_class,
            has_secret: kinds.iter().any(|kind| kind.is_secret()),
            has_personal_data: kinds.iter().any(|kind| !kind.is_secret()),
            finding_kinds: kinds.into_iter().collect(),
            protected_paths: paths.into_iter().collect(),
            metadata_host: bits[0],
            hidden_text: bits[1],
            terminal_escapes: bits[2],
            asks_sampling: bits[3],
            asks_url: bits[4],
            asks_secret: bits[5],
            intent: bits[6],
            paths_outside_roots: u32::from(bits[7]),
            size_kib,
            ..quiet(method, phase)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_layer_only_tightens_and_the_cache_changes_nothing(facts in any_facts()) {
        let plain = preset(Preset::Balanced);
        let tightened = user(
            r#"forbid (principal, action in Action::"requests", resource)
               when { context.size_kib > 100 } unless { context.user_confirmed };"#,
        );
        prop_assert!(tightened.decide(&facts).effect >= plain.decide(&facts).effect);
        prop_assert!(preset(Preset::Strict).decide(&facts).effect >= plain.decide(&facts).effect);
        prop_assert!(preset(Preset::Observe).decide(&facts).effect <= plain.decide(&facts).effect);
        prop_assert_eq!(&*plain.decide(&facts), &plain.decide_uncached(&facts));
        prop_assert_eq!(plain.decide(&facts), plain.decide(&facts));
        prop_assert_eq!(&*tightened.decide(&facts), &tightened.decide_uncached(&facts));
    }
}
