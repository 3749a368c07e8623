//! The table: one small file for each client.
//!
//! To add a client, add a file with a `CLIENT` row here and its name to the list below; a test
//! fails until a fixture has it.

mod abacus;
mod amazon_q;
mod amp;
mod antigravity;
mod anythingllm;
mod augment;
mod boltai;
mod claude_code;
mod claude_desktop;
mod cline;
mod codebuddy;
mod codex;
mod continue_dev;
mod copilot_cli;
mod crush;
mod cursor;
mod factory;
mod fast_agent;
mod five_ire;
mod forge;
mod fx;
mod gemini_cli;
mod goose;
mod grok;
mod hermes;
mod iflow;
mod jetbrains;
mod junie;
mod kilo;
mod kimi;
mod kiro;
mod librechat;
mod lm_studio;
mod mastra;
mod mcporter;
mod mistral_vibe;
mod openclaw;
mod opencode;
mod pi;
mod qoder;
mod qwen_code;
mod raycast;
mod roo_code;
mod sema4;
mod tabnine;
mod trae;
mod visual_studio;
mod vscode;
mod vscode_forks;
mod warp;
mod windsurf;
mod witsy;
mod zed;

use super::location::Client;

static ALL: &[&[Client]] = &[
    claude_desktop::CLIENTS,
    claude_code::CLIENTS,
    cursor::CLIENTS,
    vscode::CLIENTS,
    vscode_forks::CLIENTS,
    windsurf::CLIENTS,
    zed::CLIENTS,
    cline::CLIENTS,
    roo_code::CLIENTS,
    kilo::CLIENTS,
    continue_dev::CLIENTS,
    gemini_cli::CLIENTS,
    antigravity::CLIENTS,
    codex::CLIENTS,
    opencode::CLIENTS,
    goose::CLIENTS,
    lm_studio::CLIENTS,
    amazon_q::CLIENTS,
    kiro::CLIENTS,
    junie::CLIENTS,
    jetbrains::CLIENTS,
    warp::CLIENTS,
    amp::CLIENTS,
    copilot_cli::CLIENTS,
    crush::CLIENTS,
    qwen_code::CLIENTS,
    visual_studio::CLIENTS,
    factory::CLIENTS,
    augment::CLIENTS,
    trae::CLIENTS,
    mistral_vibe::CLIENTS,
    kimi::CLIENTS,
    grok::CLIENTS,
    mcporter::CLIENTS,
    fast_agent::CLIENTS,
    librechat::CLIENTS,
    five_ire::CLIENTS,
    witsy::CLIENTS,
    boltai::CLIENTS,
    raycast::CLIENTS,
    anythingllm::CLIENTS,
    abacus::CLIENTS,
    openclaw::CLIENTS,
    hermes::CLIENTS,
    pi::CLIENTS,
    tabnine::CLIENTS,
    iflow::CLIENTS,
    forge::CLIENTS,
    mastra::CLIENTS,
    codebuddy::CLIENTS,
    fx::CLIENTS,
    qoder::CLIENTS,
    sema4::CLIENTS,
];

/// Every client of the table.
pub fn all() -> impl Iterator<Item = &'static Client> {
    ALL.iter().copied().flatten()
}

/// The client with an id.
pub fn by_id(id: &str) -> Option<&'static Client> {
    all().find(|client| client.id.as_str() == id)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::location::ClientId;
    use super::*;

    #[test]
    fn ids_are_unique_and_every_reference_is_to_one() {
        let ids: Vec<ClientId> = all().map(|client| client.id).collect();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
        for location in all().flat_map(|client| client.locations) {
            for other in location.also {
                assert!(ids.contains(other), "{other} is read here and has no row");
            }
            for path in location.paths {
                assert!(!path.contains('\\'), "{path} has a backslash");
            }
        }
    }
}
