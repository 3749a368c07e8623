//! What the messages of a session tell a policy about later ones: the client's roots, and what the
//! server says about its tools.

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::client::Client;
use crate::endings::echo;

/// A bed with a policy that blocks calls of tools where `condition` holds, alone and joined.
fn beds_with_policy(condition: &str) -> impl Iterator<Item = Bed> {
    let policy = format!(
        "@id(\"mine\")\n@reason(\"not here\")\n@severity(\"low\")\nforbid (principal, action == Action::\"tools/call\", resource)\nwhen {{ {condition} }};\n"
    );
    [false, true].into_iter().map(move |join| {
        let bed = Bed::new();
        bed.write(".defenter/policy.d/mine.cedar", &policy);
        if join { bed.up() } else { bed }
    })
}

/// Whether a call is let through.
fn passes(client: &mut Client, tool: &str, arguments: Value) -> bool {
    let id = client.ask_tool(tool, arguments);
    let answer = client.answer(id);
    let is_blocked = answer.to_string().contains("not here");
    assert_eq!(answer["result"]["isError"] == true, is_blocked, "{answer}");
    !is_blocked
}

#[test]
fn roots_are_where_the_server_works_until_the_client_says_others() {
    for bed in beds_with_policy("context.paths_outside_roots > 0") {
        let work = bed.home().join("work").display().to_string();
        let (inside, outside) = (format!("{work}/a.txt"), "/srv/data/a.txt".to_owned());
        let mut client = echo(&bed, &[]);
        let check = |client: &mut Client, path: &str, expected: bool| {
            assert_eq!(passes(client, "raw", json!({"path": path})), expected, "{path}");
        };
        check(&mut client, &inside, true);
        check(&mut client, &outside, false);
        let call = client.ask_tool("ask", json!({"method": "roots/list"}));
        let asked = client.find(|message| message["method"] == "roots/list");
        let roots = json!([{"uri": "file:///srv/data", "name": "data"}]);
        let answer = json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"roots": roots}});
        client.send(answer.to_string());
        client.answer(call);
        check(&mut client, &inside, false);
        check(&mut client, &outside, true);
    }
}

#[test]
fn what_the_server_says_of_a_tool_is_known_once_it_has_said_it() {
    for bed in beds_with_policy("context.hints.open_world && !context.hints.read_only") {
        let mut client = echo(&bed, &[]);
        assert!(passes(&mut client, "raw", json!({})));
        let listed = client.request("tools/list", json!({}));
        assert!(listed.to_string().contains("openWorldHint"), "{listed}");
        assert!(!passes(&mut client, "raw", json!({})));
        assert!(passes(&mut client, "echo", json!({"message": "x"})));
    }
}
