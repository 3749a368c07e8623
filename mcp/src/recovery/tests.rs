//! Scenes of a session, and a model that plays any sequence of them.

use super::*;
use crate::catalogue::Label;
use proptest::prelude::*;
use std::collections::HashMap;

const INITIALIZE: &str = r#"{"method":"initialize","params":{"x":1e400,"protocolVersion":"2025-06-18"},"jsonrpc":"2.0","id":0}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
const CAPABILITIES: &str = r#"{"tools":{"listChanged":true},"prompts":{},"logging":{}}"#;

fn welcome(id: &str, version: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"result":{{"protocolVersion":"{version}","capabilities":{CAPABILITIES}}}}}"#
    )
}

fn request(id: &str, method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#)
}

fn result(id: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#)
}

fn cancelled(id: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id}}}}}"#
    )
}

/// A session in which every line says where it went.
struct Scene {
    session: Recovery<u32>,
    next: u32,
}

impl Scene {
    fn new() -> Self {
        Self::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        Self { session: Recovery::new("tag", limits), next: 0 }
    }

    /// A legacy session past its handshake.
    fn legacy() -> Self {
        let mut scene = Self::new();
        assert!(scene.session.on_server_started().unwrap().live);
        assert_eq!(scene.client(INITIALIZE), FromClient::Forward);
        assert!(matches!(scene.server(&welcome("0", "2025-06-18")), FromServer::Forward(Some(_))));
        assert_eq!(scene.client(INITIALIZED), FromClient::Forward);
        scene
    }

    fn client(&mut self, line: &str) -> FromClient<u32> {
        self.next += 1;
        let line = format!("{line}\n");
        let message = read_message(line.as_bytes()).unwrap();
        self.session.on_client_message(&message, line.as_bytes(), self.next, Resend::AsCatalogued)
    }

    fn server(&mut self, line: &str) -> FromServer<u32> {
        let line = format!("{line}\n");
        self.session.on_server_message(&read_message(line.as_bytes()).unwrap(), line.as_bytes())
    }

    /// [`Scene::client`], where it does not matter what becomes of it.
    fn sends(&mut self, line: &str) {
        drop(self.client(line));
    }

    /// [`Scene::server`], where it does not matter what becomes of it.
    fn hears(&mut self, line: &str) {
        drop(self.server(line));
    }

    /// Lets the server die and another start; gives what was lost and the replayed handshake's id.
    fn restart(&mut self) -> (Vec<(String, Loss)>, Vec<String>, Flow) {
        let gone = self.session.on_server_gone();
        assert_eq!(self.session.stage(), Stage::Down);
        let lost = gone.lost.iter().map(|lost| (lost.id.as_str().to_owned(), lost.why)).collect();
        (lost, texts(&gone.to_client), self.session.on_server_started().unwrap())
    }

    /// The same, with the replayed handshake answered as before.
    fn recover(&mut self) -> (Vec<(String, Loss)>, Vec<String>, Flow) {
        let (lost, to_client, flow) = self.restart();
        let [handshake] = &flow.to_server[..] else { panic!("no handshake") };
        let id = read_message(handshake).unwrap().id().unwrap().as_str().to_owned();
        match self.server(&welcome(&id, "2025-06-18")) {
            FromServer::Ours(flow) => (lost, to_client, flow),
            other => panic!("{other:?}"),
        }
    }
}

fn texts(lines: &[Vec<u8>]) -> Vec<String> {
    let text =
        |line: &Vec<u8>| String::from_utf8(line.strip_suffix(b"\n").unwrap().to_vec()).unwrap();
    lines.iter().map(text).collect()
}

fn answered(route: &FromServer<u32>) -> Option<u32> {
    match route {
        FromServer::Forward(answered) => answered.as_ref().map(|answered| answered.context),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_first_process_is_a_plain_pipe() {
    let mut scene = Scene::legacy();
    assert_eq!(scene.session.era(), Era::Legacy);
    assert_eq!(scene.client(&request("0", "tools/call", "{}")), FromClient::Forward);
    assert_eq!(scene.client(&request("\"0\"", "vendor/x", "[]")), FromClient::Forward);
    assert_eq!(scene.client(&request("1.0", "ping", "{}")), FromClient::Forward);
    assert_eq!(answered(&scene.server(&result("\"0\""))), Some(4));
    assert_eq!(answered(&scene.server(&result("1"))), Some(5), "a number that was written anew");
    assert_eq!(answered(&scene.server(&result("0"))), Some(3));
    assert_eq!(scene.server(&result("0")), FromServer::Drop(Dropped::Unasked));
    assert_eq!(scene.server(&request("0", "roots/list", "{}")), FromServer::Forward(None));
    assert_eq!(scene.client(&result("0")), FromClient::Forward);
    assert_eq!(scene.client(&result("0")), FromClient::Drop(Dropped::Unasked));
    assert_eq!(scene.server(r#"{"error":{"code":-32700}}"#), FromServer::Forward(None));
    assert_eq!(scene.server(r#"{"method":"vendor/note"}"#), FromServer::Forward(None));
}

#[test]
fn the_handshake_is_replayed_with_the_clients_bytes() {
    let mut scene = Scene::legacy();
    let (_, _, flow) = scene.restart();
    assert_eq!((scene.session.stage(), flow.live), (Stage::Replaying, false));
    let expected = INITIALIZE.replace("\"id\":0", "\"id\":\"tag.2-1\"");
    assert_eq!(texts(&flow.to_server), [expected]);
    let FromServer::Ours(flow) = scene.server(&welcome("\"tag.2-1\"", "2025-06-18")) else {
        panic!()
    };
    assert_eq!(texts(&flow.to_server), [INITIALIZED]);
    let changed = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;
    assert_eq!(texts(&flow.to_client), [changed]);
    assert!(flow.live && !flow.capabilities_changed);
    assert_eq!(scene.session.stage(), Stage::Live);
}

#[test]
fn initialized_is_replayed_only_if_it_was_sent() {
    let mut scene = Scene::new();
    assert!(scene.session.on_server_started().unwrap().live);
    assert_eq!(scene.client(INITIALIZE), FromClient::Forward);
    scene.hears(&welcome("0", "2025-06-18"));
    let (_, _, flow) = scene.recover();
    assert_eq!((flow.to_server.len(), flow.to_client.len()), (0, 0));
    assert_eq!(scene.client(INITIALIZED), FromClient::Forward);
    let (_, _, flow) = scene.recover();
    assert_eq!(texts(&flow.to_server), [INITIALIZED]);
}

#[test]
fn settings_and_live_subscriptions_follow() {
    let mut scene = Scene::legacy();
    for (id, method, params, ok) in [
        ("1", "logging/setLevel", r#"{"level":"info"}"#, true),
        ("2", "logging/setLevel", r#"{"level":"debug"}"#, true),
        ("3", "logging/setLevel", r#"{"level":"loud"}"#, false),
        ("4", "resources/subscribe", r#"{"uri":"a:1"}"#, true),
        ("5", "resources/subscribe", r#"{"uri":"a:\u0032"}"#, true),
        ("6", "resources/subscribe", r#"{"uri":"a:3"}"#, false),
        ("7", "resources/unsubscribe", r#"{"uri":"a:1"}"#, true),
    ] {
        assert_eq!(scene.client(&request(id, method, params)), FromClient::Forward);
        let error = format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":1}}}}"#);
        scene.hears(&if ok { result(id) } else { error });
    }
    let (lost, _, flow) = scene.recover();
    assert_eq!(lost, []);
    assert_eq!(
        texts(&flow.to_server),
        [
            INITIALIZED.to_owned(),
            request("\"tag.2-2\"", "logging/setLevel", r#"{"level":"debug"}"#),
            request("\"tag.2-3\"", "resources/subscribe", r#"{"uri":"a:\u0032"}"#),
        ]
    );
    let updated =
        r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:2"}}"#;
    assert_eq!(texts(&flow.to_client)[1..], [updated]);
    for id in ["\"tag.2-2\"", "\"tag.2-3\""] {
        assert_eq!(scene.server(&result(id)), FromServer::Ours(Flow::default()));
        assert_eq!(scene.server(&result(id)), FromServer::Drop(Dropped::Unasked));
    }
}

#[test]
fn reads_are_sent_again_and_acts_are_not() {
    let mut scene = Scene::legacy();
    let reads =
        [request("1", "tools/list", "{}"), request("2", "resources/read", r#"{"uri":"a"}"#)];
    let acts = [request("3", "tools/call", "{}"), request("4", "vendor/act", "{}")];
    for line in reads.iter().chain(&acts) {
        assert_eq!(scene.client(line), FromClient::Forward);
    }
    assert_eq!(scene.session.waiting(), 4);
    let (lost, _, flow) = scene.recover();
    assert_eq!(lost, [("3".into(), Loss::OutcomeUnknown), ("4".into(), Loss::OutcomeUnknown)]);
    assert_eq!(texts(&flow.to_server)[1..], reads);
    assert_eq!(answered(&scene.server(&result("2"))), Some(4));
    assert_eq!(scene.server(&result("3")), FromServer::Drop(Dropped::Unasked));
}

#[test]
fn a_call_that_is_known_to_be_safe_is_sent_again() {
    let mut scene = Scene::legacy();
    let line = request("1", "tools/call", "{}");
    let message = read_message(line.as_bytes()).unwrap();
    let route = scene.session.on_client_message(&message, line.as_bytes(), 9, Resend::Allowed);
    assert_eq!(route, FromClient::Forward);
    let (lost, _, flow) = scene.recover();
    assert_eq!((lost.len(), flow.to_server.last().unwrap()), (0, &line.into_bytes()));
}

#[test]
fn a_read_that_kills_every_process_is_given_up() {
    let mut scene = Scene::legacy();
    scene.sends(&request("1", "tools/list", "{}"));
    assert_eq!(scene.recover().0, []);
    assert_eq!(scene.recover().0, []);
    assert_eq!(scene.recover().0, [("1".into(), Loss::DiedOnIt)]);
}

#[test]
fn lost_requests_are_answered_once_with_their_own_id() {
    let mut scene = Scene::legacy();
    scene.sends(&request("12345678901234567890123", "tools/call", "{}"));
    let gone = scene.session.on_server_gone();
    let line = gone.lost[0].answer(Some("op-7"));
    let Ok(Message::Response { id, outcome: Outcome::Error(error) }) = read_message(&line) else {
        panic!("no error");
    };
    assert_eq!(id.unwrap().as_str(), "12345678901234567890123");
    assert_eq!(read::member(error, "code"), Some(&b"-31010"[..]));
    assert_eq!(read::member_at(error, &["data", "operation"]), Some(&b"\"op-7\""[..]));
    assert_eq!(gone.lost[0].context, 3);
}

#[test]
fn the_servers_questions_are_renamed_from_the_second_process_on() {
    let mut scene = Scene::legacy();
    scene.hears(&request("0", "roots/list", "{}"));
    let (_, to_client, _) = scene.recover();
    let params = r#"{"requestId":0,"reason":"the server has ended"}"#;
    assert_eq!(
        to_client,
        [format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{params}}}"#)]
    );

    let FromServer::Rewrite(line) = scene.server(&request(" 0", "roots/list", "{}")) else {
        panic!()
    };
    assert_eq!(texts(&[line]), [request(" \"tag.2.1\"", "roots/list", "{}")]);
    assert_eq!(
        scene.client(&result("0")),
        FromClient::Drop(Dropped::Unasked),
        "of the dead process"
    );
    let FromClient::Rewrite(line) = scene.client(&result("\"tag.2.1\"")) else { panic!() };
    assert_eq!(texts(&[line]), [result("0")]);

    let FromServer::Rewrite(_) = scene.server(&request("1", "roots/list", "{}")) else { panic!() };
    let FromServer::Rewrite(line) = scene.server(&cancelled("1")) else { panic!() };
    assert_eq!(texts(&[line]), [cancelled("\"tag.2.2\"")]);
    assert_eq!(scene.server(&cancelled("7")), FromServer::Drop(Dropped::Unasked));
    assert_eq!(scene.session.asked(), 1, "an answer may cross the cancellation");
}

#[test]
fn messages_wait_for_a_server() {
    let mut scene = Scene::new();
    assert_eq!(scene.client(INITIALIZE), FromClient::Held);
    assert_eq!(scene.client(&request("1", "tools/list", "{}")), FromClient::Held);
    assert_eq!(scene.client(&cancelled("1")), FromClient::Cancelled(2));
    assert_eq!(
        scene.client(r#"{"method":"notifications/progress"}"#),
        FromClient::Drop(Dropped::Dead)
    );
    assert_eq!(scene.client(INITIALIZED), FromClient::Held);
    assert_eq!(scene.session.waiting(), 1);
    let flow = scene.session.on_server_started().unwrap();
    assert_eq!(texts(&flow.to_server), [INITIALIZE, INITIALIZED]);
    assert_eq!(answered(&scene.server(&welcome("0", "2025-06-18"))), Some(1));
    assert_eq!(scene.session.held(), 0);
}

#[test]
fn messages_wait_while_the_handshake_is_replayed() {
    let mut scene = Scene::legacy();
    let (_, _, flow) = scene.restart();
    assert!(!flow.live);
    let call = request("5", "tools/call", "{}");
    assert_eq!(scene.client(&call), FromClient::Held);
    let FromServer::Ours(flow) = scene.server(&welcome("\"tag.2-1\"", "2025-06-18")) else {
        panic!()
    };
    assert_eq!(texts(&flow.to_server), [INITIALIZED.to_owned(), call]);
}

#[test]
fn a_server_that_dies_in_the_handshake_gets_it_again() {
    let mut scene = Scene::new();
    assert!(scene.session.on_server_started().unwrap().live);
    scene.sends(INITIALIZE);
    for _ in 0..10 {
        let (lost, _, flow) = scene.restart();
        assert_eq!((lost.len(), texts(&flow.to_server)), (0, vec![INITIALIZE.to_owned()]));
    }
}

#[test]
fn a_server_that_dies_of_a_probe_is_followed_by_another() {
    let mut scene = Scene::new();
    assert!(scene.session.on_server_started().unwrap().live);
    scene.sends(&request("1", "server/discover", "{}"));
    let (lost, _, flow) = scene.restart();
    assert_eq!(lost, [("1".into(), Loss::DiedOnIt)]);
    assert_eq!((flow.to_server.len(), flow.live), (0, true));
}

#[test]
fn what_is_due_is_the_oldest_request_that_is_to_be_answered() {
    let mut scene = Scene::legacy();
    assert_eq!(scene.session.due(), None);
    scene.sends(&request("7", "subscriptions/listen", "{}"));
    assert_eq!(scene.session.due(), None, "it is answered when it ends");
    scene.sends(&request("8", "tools/call", "{}"));
    scene.sends(&request("9", "tools/call", "{}"));
    assert_eq!(scene.session.due(), Some(&4));
    scene.sends(&cancelled("8"));
    assert_eq!(scene.session.due(), Some(&5), "what was cancelled may never be answered");
    scene.hears(&request("1", "roots/list", "{}"));
    assert_eq!(scene.session.due(), None, "the server waits itself");
    scene.sends(&result("1"));
    assert_eq!(scene.session.due(), Some(&5));
    scene.hears(&result("9"));
    assert_eq!(scene.session.due(), None);
}

#[test]
fn a_modern_session_replays_only_what_listens() {
    let mut scene = Scene::new();
    assert!(scene.session.on_server_started().unwrap().live);
    scene.sends(&request("1", "server/discover", "{}"));
    scene.hears(&result("1"));
    assert_eq!(scene.session.era(), Era::Modern);
    let listen =
        request("7", "subscriptions/listen", r#"{"notifications":{"toolsListChanged":true}}"#);
    scene.sends(&listen);
    let acknowledged = r#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":"7"},"notifications":{"toolsListChanged":true,"resourceSubscriptions":["a:1"]}}}"#;
    assert_eq!(scene.server(acknowledged), FromServer::Forward(None));
    for _ in 0..5 {
        let (lost, _, flow) = scene.restart();
        assert_eq!(
            (lost.len(), flow.live, texts(&flow.to_server)),
            (0, true, vec![listen.clone()])
        );
        let FromServer::Ours(flow) = scene.server(acknowledged) else { panic!() };
        let meta = r#""_meta":{"io.modelcontextprotocol/subscriptionId":7}"#;
        assert_eq!(
            texts(&flow.to_client),
            [
                format!(
                    r#"{{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{{{meta}}}}}"#
                ),
                format!(
                    r#"{{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{{{meta},"uri":"a:1"}}}}"#
                ),
            ]
        );
    }
    assert!(answered(&scene.server(&result("7"))).is_some());
}

#[test]
fn a_session_ends_where_the_new_server_differs() {
    let mut scene = Scene::legacy();
    let _ = scene.restart();
    let FromServer::Failed(error) = scene.server(&welcome("\"tag.2-1\"", "2024-11-05")) else {
        panic!()
    };
    assert_eq!(
        error,
        RecoveryError::VersionChanged { was: "2025-06-18".into(), is: "2024-11-05".into() }
    );
    let mut scene = Scene::legacy();
    let _ = scene.restart();
    let refused = r#"{"id":"tag.2-1","error":{"code":1}}"#;
    assert_eq!(scene.server(refused), FromServer::Failed(RecoveryError::HandshakeRefused));
    let mut scene = Scene::legacy();
    let _ = scene.restart();
    let other = welcome("\"tag.2-1\"", "2025-06-18").replace("\"prompts\":{},", "");
    assert!(matches!(
        scene.server(&other),
        FromServer::Ours(Flow { capabilities_changed: true, .. })
    ));
    let mut scene = Scene::with(Limits { handshake_bytes: 10, ..Limits::default() });
    assert!(scene.session.on_server_started().unwrap().live);
    scene.sends(INITIALIZE);
    scene.hears(&welcome("0", "2025-06-18"));
    assert_eq!(
        scene.session.on_server_gone(),
        Gone { lost: vec![], cancelled: vec![], to_client: vec![] }
    );
    assert_eq!(scene.session.on_server_started(), Err(RecoveryError::HandshakeNotKept));
}

#[test]
fn cancellation_crosses_answers_and_deaths() {
    let mut scene = Scene::legacy();
    for (id, method) in [("1", "tools/call"), ("2", "tools/list")] {
        scene.sends(&request(id, method, "{}"));
        assert_eq!(scene.client(&cancelled(id)), FromClient::Forward);
    }
    assert_eq!(scene.session.waiting(), 0);
    assert_eq!(answered(&scene.server(&result("1"))), Some(3));
    let gone = scene.session.on_server_gone();
    assert_eq!((gone.lost.len(), gone.cancelled), (0, vec![5]));
    assert_eq!(scene.client(&cancelled("9")), FromClient::Drop(Dropped::Dead));

    let mut scene = Scene::legacy();
    scene.sends(&request("1", "tools/list", "{}"));
    let _ = scene.session.on_server_gone();
    assert_eq!(
        scene.client(&cancelled("1")),
        FromClient::Cancelled(3),
        "it will not be sent again"
    );
}

#[test]
fn an_id_used_twice_is_answered_twice() {
    let mut scene = Scene::legacy();
    for method in ["tools/call", "tools/list", "vendor/x"] {
        assert_eq!(scene.client(&request("1", method, "{}")), FromClient::Forward);
    }
    assert_eq!(answered(&scene.server(&result("1"))), Some(3));
    let gone = scene.session.on_server_gone();
    assert_eq!((gone.lost.len(), gone.lost[0].operation.label), (1, "other"));
    assert_eq!(scene.session.give_up().lost[0].operation.label, "tools/list");
}

#[test]
fn everything_is_bounded() {
    let limits = Limits {
        in_flight: 3,
        asked: 1,
        held: 2,
        held_bytes: 10,
        resend_bytes: 60,
        subscriptions: 1,
        ..Limits::default()
    };
    let mut scene = Scene::with(limits);
    assert_eq!(scene.client(&request("1", "tools/list", "{}")), FromClient::Held, "one always may");
    assert_eq!(scene.client(&request("2", "tools/list", "{}")), FromClient::Full(2));
    assert_eq!(scene.client(INITIALIZED), FromClient::Full(3));
    assert!(scene.session.on_server_started().unwrap().live);
    scene.sends(&request("2", "tools/list", "{}"));
    scene.sends(&request("3", "tools/list", "{}"));
    let route = scene.client(&request("4", "tools/list", "{}"));
    assert_eq!(route, FromClient::Refuse(Refused::TooMany, 6));
    scene.hears(&request("1", "roots/list", "{}"));
    assert_eq!(
        scene.server(&request("2", "roots/list", "{}")),
        FromServer::Refuse(Refused::TooMany)
    );
    let lost: Vec<_> =
        scene.session.on_server_gone().lost.into_iter().map(|lost| lost.why).collect();
    assert_eq!(
        lost,
        [Loss::OutcomeUnknown; 2],
        "only the first fitted into the bytes that are kept"
    );

    let mut scene = Scene::legacy();
    for n in 0..2000 {
        scene.sends(&request(&n.to_string(), "tools/call", "{}"));
        scene.sends(&cancelled(&n.to_string()));
        scene.hears(&request(&n.to_string(), "roots/list", "{}"));
        scene.hears(&cancelled(&n.to_string()));
    }
    assert!(scene.session.in_flight.len() <= 256 && scene.session.asked() <= 64);
}

#[test]
fn the_end_answers_all_and_refuses_the_rest() {
    let mut scene = Scene::legacy();
    scene.sends(&request("1", "tools/call", "{}"));
    scene.sends(&request("2", "tools/list", "{}"));
    let (lost, _, _) = scene.restart();
    assert_eq!(lost.len(), 1);
    scene.sends(&request("3", "tools/call", "{}"));
    let gone = scene.session.give_up();
    let lost: Vec<_> = gone.lost.iter().map(|lost| (lost.id.as_str(), lost.why)).collect();
    assert_eq!(lost, [("2", Loss::DiedOnIt), ("3", Loss::NoServer)]);
    let route = scene.client(&request("4", "tools/list", "{}"));
    assert_eq!(route, FromClient::Refuse(Refused::NoServer, 6));
    assert_eq!(scene.client(INITIALIZED), FromClient::Drop(Dropped::Dead));
    assert_eq!(scene.session.waiting(), 0);

    let flow = scene.session.on_server_started().unwrap();
    assert_eq!((scene.session.stage(), flow.to_server.len()), (Stage::Replaying, 1));
    assert_eq!(scene.client(&request("5", "tools/list", "{}")), FromClient::Held);
}

#[test]
fn what_the_caller_answers_is_forgotten() {
    let mut scene = Scene::legacy();
    scene.sends(&request("1", "tools/list", "{}"));
    assert_eq!(scene.session.settle(Id::parse(b"1").unwrap()), Some(3));
    assert_eq!(scene.server(&result("1")), FromServer::Drop(Dropped::Unasked));
    scene.hears(&request("0", "sampling/createMessage", "{}"));
    scene.session.settle_asked(Id::parse(b"0").unwrap());
    assert_eq!(scene.session.asked(), 0);
}

/// One step of a played session.
#[derive(Clone, Debug)]
enum Step {
    /// The client sends a request by one of [`METHODS`].
    Ask(usize),
    /// The client sends a notification.
    Notify,
    /// The client cancels one of its requests.
    Cancel(prop::sample::Index),
    /// The client answers one of the server's requests; or one of a dead process's, of whose
    /// cancellation it has not heard yet.
    Reply(prop::sample::Index, bool),
    /// The server answers one of its requests.
    Answer(prop::sample::Index),
    /// The server asks the client.
    Question,
    /// The server cancels its last question.
    Withdraw,
    Crash,
    Start,
}

const METHODS: [&str; 8] = [
    "initialize",
    "tools/call",
    "tools/list",
    "resources/read",
    "ping",
    "vendor/act",
    "logging/setLevel",
    "prompts/get",
];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..METHODS.len()).prop_map(Step::Ask),
        1 => Just(Step::Notify),
        1 => any::<prop::sample::Index>().prop_map(Step::Cancel),
        2 => any::<(prop::sample::Index, bool)>().prop_map(|(at, late)| Step::Reply(at, late)),
        5 => any::<prop::sample::Index>().prop_map(Step::Answer),
        2 => Just(Step::Question),
        1 => Just(Step::Withdraw),
        2 => Just(Step::Crash),
        3 => Just(Step::Start),
    ]
}

/// A process of the played server.
#[derive(Default)]
struct Process {
    /// Ids of requests it has not answered, with their methods.
    open: Vec<(String, String)>,
    /// Ids of its own requests that were not answered, and which question each is.
    questions: HashMap<String, u32>,
    asked: u32,
}

/// Both peers of a played session, and what they have seen.
#[derive(Default)]
struct World {
    process: Option<Process>,
    /// The client's requests, by id: method, whether it was cancelled, answers.
    requests: HashMap<String, (&'static str, bool, u32)>,
    /// How often a process got each id.
    delivered: HashMap<String, u32>,
    /// The server's requests that the client works on, by id, and which question each is.
    shown: Vec<(String, u32)>,
    /// The same of those that were cancelled in the name of a dead process.
    stale: Vec<(String, u32)>,
    /// Whether the client has an answer to its `initialize`.
    welcomed: bool,
    next: u32,
}

impl World {
    fn server_gets(&mut self, line: &[u8]) {
        let process = self.process.as_mut().expect("there is a process to send to");
        match read_message(line).unwrap() {
            Message::Request { id, method, .. } => {
                *self.delivered.entry(id.as_str().to_owned()).or_default() += 1;
                process.open.push((id.as_str().to_owned(), method.into_owned()));
            }
            Message::Response { id, outcome } => {
                let question = process.questions.remove(id.unwrap().as_str());
                assert_eq!(
                    Some(number_in(outcome.raw())),
                    question,
                    "the answer to another question"
                );
            }
            Message::Notification { .. } | Message::Batch => {}
        }
    }

    fn client_gets(&mut self, line: &[u8]) {
        match read_message(line).unwrap() {
            Message::Request { id, params, .. } => {
                let id = id.as_str().to_owned();
                assert!(
                    self.shown.iter().all(|(shown, _)| *shown != id),
                    "one id, two questions: {id}"
                );
                self.shown.push((id, number_in(params.unwrap())));
            }
            Message::Response { id, outcome } => {
                let request = self.requests.get_mut(id.unwrap().as_str());
                let (method, _, answers) = request.expect("answer to a request of the client's");
                *answers += 1;
                assert_eq!(*answers, 1, "one answer to {method}");
                self.welcomed |= *method == "initialize" && matches!(outcome, Outcome::Result(_));
            }
            Message::Notification { method, params } if method == "notifications/cancelled" => {
                let id = read::member(params.unwrap(), "requestId").unwrap();
                let cancelled = self.shown.extract_if(.., |(shown, _)| shown.as_bytes() == id);
                self.stale.extend(cancelled);
            }
            Message::Notification { .. } | Message::Batch => {}
        }
    }

    fn flow(&mut self, flow: &Flow) {
        flow.to_server.iter().for_each(|line| self.server_gets(line));
        flow.to_client.iter().for_each(|line| self.client_gets(line));
    }

    fn gone(&mut self, gone: Gone<String>) {
        for lost in gone.lost {
            assert_eq!(lost.context, lost.id.as_str(), "the context of the request itself");
            let acts = matches!(lost.operation.label, "tools/call" | "other");
            assert!(acts || lost.why != Loss::OutcomeUnknown, "a read is sent again");
            self.client_gets(&lost.answer(None));
        }
        gone.to_client.iter().for_each(|line| self.client_gets(line));
    }
}

/// Which question a question or an answer to one is.
fn number_in(raw: &[u8]) -> u32 {
    std::str::from_utf8(read::member(raw, "n").unwrap()).unwrap().parse().unwrap()
}

/// The session and the world around it.
struct Play {
    session: Recovery<String>,
    world: World,
}

impl Play {
    fn client(&mut self, line: &str, context: &str) {
        let message = read_message(line.as_bytes()).unwrap();
        let route = self.session.on_client_message(
            &message,
            line.as_bytes(),
            context.to_owned(),
            Resend::AsCatalogued,
        );
        match route {
            FromClient::Forward => self.world.server_gets(line.as_bytes()),
            FromClient::Rewrite(line) => self.world.server_gets(&line),
            FromClient::Refuse(why, _) => {
                self.world.client_gets(&why.answer(message.id().unwrap(), None, Label::Operation));
            }
            FromClient::Cancelled(context) => assert!(self.world.requests[&context].1),
            FromClient::Full(_) => panic!("nothing here is near a limit"),
            FromClient::Held | FromClient::Drop(_) => {}
        }
    }

    fn server(&mut self, line: &str) {
        let message = read_message(line.as_bytes()).unwrap();
        match self.session.on_server_message(&message, line.as_bytes()) {
            FromServer::Forward(answered) => {
                if let Some(answered) = answered {
                    assert_eq!(answered.context, message.id().unwrap().as_str());
                }
                self.world.client_gets(line.as_bytes());
            }
            FromServer::Rewrite(line) => self.world.client_gets(&line),
            FromServer::Ours(flow) => self.world.flow(&flow),
            FromServer::Failed(error) => panic!("{error}"),
            FromServer::Refuse(_) => panic!("nothing here is near a limit"),
            FromServer::Drop(_) => {}
        }
    }

    fn answer(&mut self, at: usize) {
        let (id, method) = self.world.process.as_mut().unwrap().open.remove(at);
        let line = if method == "initialize" { welcome(&id, "2025-06-18") } else { result(&id) };
        self.server(&line);
    }

    fn start(&mut self) {
        if self.world.process.is_none() {
            self.world.process = Some(Process::default());
            let flow = self.session.on_server_started().unwrap();
            self.world.flow(&flow);
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Ask(method) => {
                self.world.next += 1;
                let (id, method) = (self.world.next.to_string(), METHODS[*method]);
                self.world.requests.insert(id.clone(), (method, false, 0));
                self.client(&request(&id, method, "{}"), &id);
            }
            Step::Notify => self.client(INITIALIZED, ""),
            Step::Cancel(at) => {
                let waiting =
                    self.world.requests.iter_mut().filter(|(_, r)| r.2 == 0 && r.0 != "initialize");
                let mut waiting: Vec<_> = waiting.collect();
                waiting.sort_unstable_by_key(|(id, _)| id.parse::<u32>().unwrap());
                if !waiting.is_empty() {
                    let (id, request) = waiting.swap_remove(at.index(waiting.len()));
                    request.1 = true;
                    let line = cancelled(id);
                    self.client(&line, "");
                }
            }
            Step::Reply(at, late) => {
                let from = if *late { &mut self.world.stale } else { &mut self.world.shown };
                if !from.is_empty() {
                    let (id, number) = from.swap_remove(at.index(from.len()));
                    let result =
                        format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"n":{number}}}}}"#);
                    self.client(&result, "");
                }
            }
            Step::Answer(at) => {
                let open = self.world.process.as_ref().map_or(0, |process| process.open.len());
                if open > 0 {
                    self.answer(at.index(open));
                }
            }
            Step::Question | Step::Withdraw => self.question(matches!(step, Step::Question)),
            Step::Crash => {
                if self.world.process.take().is_some() {
                    let gone = self.session.on_server_gone();
                    self.world.gone(gone);
                }
            }
            Step::Start => self.start(),
        }
    }

    fn question(&mut self, ask: bool) {
        let Some(process) = &mut self.world.process else { return };
        if ask {
            // Each process counts from 0, as the client does.
            let id = process.asked.to_string();
            process.asked += 1;
            self.world.next += 1;
            let number = self.world.next;
            process.questions.insert(id.clone(), number);
            self.server(&request(&id, "roots/list", &format!("{{\"n\":{number}}}")));
        } else if let Some(last) = process.asked.checked_sub(1) {
            self.server(&cancelled(&last.to_string()));
        }
    }

    /// Lets the server answer all there is, or never come back.
    fn finish(&mut self, give_up: bool) {
        if give_up {
            self.world.process = None;
            let gone = self.session.give_up();
            self.world.gone(gone);
            return;
        }
        self.start();
        while self.world.process.as_ref().is_some_and(|process| !process.open.is_empty()) {
            self.answer(0);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn every_request_gets_exactly_one_answer(steps in proptest::collection::vec(step(), 0..120), give_up: bool) {
        let session = Recovery::new("tag", Limits::default());
        let mut play = Play { session, world: World::default() };
        for step in &steps {
            play.step(step);
        }
        play.finish(give_up);
        prop_assert_eq!(play.session.waiting(), 0);
        for (id, (method, cancelled, answers)) in &play.world.requests {
            prop_assert!(*cancelled || *answers == 1, "{} {}: {} answers", method, id, answers);
            let times = play.world.delivered.get(id).copied().unwrap_or(0);
            let once = matches!(*method, "tools/call" | "vendor/act");
            prop_assert!(!once || times <= 1, "{} was sent {} times", method, times);
        }
    }
}
