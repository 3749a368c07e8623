//! Any sequence of messages, deaths and starts: each request comes back at most once, and exactly
//! once if it was not cancelled; nothing grows without bound.
#![no_main]

use std::collections::HashMap;

use arbitrary::Arbitrary;
use defenter_mcp::envelope::read;
use defenter_mcp::recovery::{FromClient, FromServer, Gone, Limits, Recovery, Resend};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
enum Step<'a> {
    Ask { id: Id, method: Method, allowed: bool },
    Cancel(Id),
    Notify,
    Reply(Id),
    Answer { id: Id, error: bool },
    Handshake { number: u8, other: bool },
    Question(Id),
    Withdraw(Id),
    Acknowledge(Id),
    FromClient(&'a [u8]),
    FromServer(&'a [u8]),
    Settle(Id),
    Gone,
    Start,
}

#[derive(Clone, Copy, Debug, Arbitrary)]
enum Id {
    Number(u8),
    Float(u8),
    Text(u8),
    Renamed(u8, u8),
    Null,
}

#[derive(Clone, Copy, Debug, Arbitrary)]
enum Method {
    Initialize,
    Discover,
    Call,
    List,
    Subscribe(u8),
    Unsubscribe(u8),
    Level,
    Listen,
    Vendor,
}

impl Id {
    fn token(self) -> String {
        match self {
            Self::Number(n) => n.to_string(),
            Self::Float(n) => format!("{n}.0"),
            Self::Text(n) => format!("\"{n}\""),
            Self::Renamed(generation, n) => format!("\"tag.{generation}.{n}\""),
            Self::Null => "null".to_owned(),
        }
    }
}

impl Method {
    fn call(self) -> (&'static str, String) {
        let uri = |n: u8| format!("{{\"uri\":\"a:{n}\"}}");
        match self {
            Self::Initialize => ("initialize", "{}".to_owned()),
            Self::Discover => ("server/discover", "{}".to_owned()),
            Self::Call => ("tools/call", "{}".to_owned()),
            Self::List => ("tools/list", "{}".to_owned()),
            Self::Subscribe(n) => ("resources/subscribe", uri(n)),
            Self::Unsubscribe(n) => ("resources/unsubscribe", uri(n)),
            Self::Level => ("logging/setLevel", "{}".to_owned()),
            Self::Listen => ("subscriptions/listen", "{}".to_owned()),
            Self::Vendor => ("vendor/act", "[]".to_owned()),
        }
    }
}

/// The session, and what became of each request: its number, whether it may go without an answer,
/// how often it came back.
struct Play {
    session: Recovery<u32>,
    requests: HashMap<u32, (bool, u32)>,
    next: u32,
}

const LIMITS: Limits = Limits {
    in_flight: 24,
    asked: 12,
    resend_bytes: 512,
    held: 8,
    held_bytes: 512,
    handshake_bytes: 256,
    subscriptions: 4,
    subscription_bytes: 256,
    sends: 3,
};

impl Play {
    fn back(&mut self, number: u32) {
        let (_, times) = self.requests.get_mut(&number).expect("a request that was sent");
        *times += 1;
        assert_eq!(*times, 1, "one answer");
    }

    fn client(&mut self, line: &[u8], resend: Resend) {
        let Ok(message) = read(line) else { return };
        self.next += 1;
        let number = self.next;
        let request = matches!(message, defenter_mcp::Message::Request { .. });
        // A request whose id is null may be a notification to its reader.
        let silent = !request || message.id().is_some_and(|id| id.is_null());
        self.requests.insert(number, (silent, 0));
        if message.method() == Some("notifications/cancelled") {
            // Which one it means is the session's to know: from here on any may stay unanswered.
            self.requests.values_mut().for_each(|(silent, _)| *silent = true);
        }
        match self.session.on_client_message(&message, line, number, resend) {
            FromClient::Full(back) | FromClient::Refuse(_, back) => {
                assert_eq!(back, number);
                self.back(back);
            }
            FromClient::Cancelled(back) => self.back(back),
            FromClient::Rewrite(line) => assert!(read(&line).is_ok()),
            FromClient::Forward | FromClient::Held | FromClient::Drop(_) => {}
        }
    }

    fn server(&mut self, line: &[u8]) {
        let Ok(message) = read(line) else { return };
        match self.session.on_server_message(&message, line) {
            FromServer::Forward(Some(answered)) => self.back(answered.context),
            FromServer::Rewrite(line) => assert!(read(&line).is_ok()),
            FromServer::Ours(flow) => {
                for line in flow.to_server.iter().chain(&flow.to_client) {
                    assert!(read(line).is_ok() && line.len() < 4096);
                }
            }
            FromServer::Forward(None)
            | FromServer::Failed(_)
            | FromServer::Refuse(_)
            | FromServer::Drop(_) => {}
        }
    }

    fn gone(&mut self, gone: Gone<u32>) {
        for lost in gone.lost {
            assert!(read(&lost.answer(Some("op"))).is_ok());
            self.back(lost.context);
        }
        gone.cancelled.into_iter().for_each(|number| self.back(number));
        gone.to_client.iter().for_each(|line| assert!(read(line).is_ok()));
    }

    fn step(&mut self, step: &Step<'_>) {
        match step {
            Step::Ask { id, method, allowed } => {
                let (method, params) = method.call();
                let resend = if *allowed { Resend::Allowed } else { Resend::AsCatalogued };
                let line = format!(
                    "{{\"id\":{},\"method\":\"{method}\",\"params\":{params}}}\n",
                    id.token()
                );
                self.client(line.as_bytes(), resend);
            }
            Step::Cancel(id) => self.client(cancelled(*id).as_bytes(), Resend::default()),
            Step::Notify => {
                self.client(b"{\"method\":\"notifications/initialized\"}", Resend::default());
            }
            Step::Reply(id) => self.client(result(*id, "{}").as_bytes(), Resend::default()),
            Step::Answer { id, error: false } => self.server(result(*id, "{}").as_bytes()),
            Step::Answer { id, error: true } => {
                self.server(format!("{{\"id\":{},\"error\":{{}}}}", id.token()).as_bytes());
            }
            Step::Handshake { number, other } => {
                let id = format!("\"tag.{}-{number}\"", self.session.generation());
                let version = if *other { "other" } else { "" };
                let result = format!("{{\"protocolVersion\":\"{version}\"}}");
                self.server(format!("{{\"id\":{id},\"result\":{result}}}").as_bytes());
            }
            Step::Question(id) => {
                let line = format!("{{\"id\":{},\"method\":\"roots/list\"}}", id.token());
                self.server(line.as_bytes());
            }
            Step::Withdraw(id) => self.server(cancelled(*id).as_bytes()),
            Step::Acknowledge(id) => self.server(acknowledged(*id).as_bytes()),
            Step::FromClient(line) => self.client(line, Resend::default()),
            Step::FromServer(line) => self.server(line),
            Step::Settle(id) => {
                let token = id.token();
                let id = defenter_mcp::Id::parse(token.as_bytes()).expect("an id");
                if let Some(number) = self.session.settle(id) {
                    self.back(number);
                }
            }
            Step::Gone => {
                let gone = self.session.on_server_gone();
                self.gone(gone);
            }
            Step::Start => {
                let gone = self.session.on_server_gone();
                self.gone(gone);
                if let Ok(flow) = self.session.on_server_started() {
                    flow.to_server.iter().for_each(|line| assert!(read(line).is_ok()));
                }
            }
        }
        assert!(self.session.waiting() <= LIMITS.in_flight);
        assert!(self.session.held() <= LIMITS.held);
        assert!(self.session.asked() <= LIMITS.asked);
    }
}

fn result(id: Id, result: &str) -> String {
    format!("{{\"id\":{},\"result\":{result}}}", id.token())
}

fn cancelled(id: Id) -> String {
    let params = format!("{{\"requestId\":{}}}", id.token());
    format!("{{\"method\":\"notifications/cancelled\",\"params\":{params}}}")
}

fn acknowledged(id: Id) -> String {
    let meta = format!("{{\"io.modelcontextprotocol/subscriptionId\":{}}}", id.token());
    let params = format!("{{\"_meta\":{meta},\"notifications\":{{\"toolsListChanged\":true}}}}");
    format!("{{\"method\":\"notifications/subscriptions/acknowledged\",\"params\":{params}}}")
}

fuzz_target!(|steps: Vec<Step<'_>>| {
    let session = Recovery::new("tag", LIMITS);
    let mut play = Play { session, requests: HashMap::new(), next: 0 };
    steps.iter().take(400).for_each(|step| play.step(step));
    let gone = play.session.give_up();
    play.gone(gone);
    for (number, (silent, times)) in &play.requests {
        assert!(*silent || *times == 1, "request {number} was answered {times} times");
    }
    assert_eq!(play.session.waiting(), 0);
});
