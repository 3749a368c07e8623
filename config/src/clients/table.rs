//! The table: one small file for each client.
//!
//! To add a client, add a file with a `CLIENT` row here and its name to the list below; a test
//! fails until a fixture has it.

use super::location::Client;

macro_rules! clients {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*
        static ALL: &[&[Client]] = &[$($name::CLIENTS),*];
    };
}

clients! {
    claude_desktop,
    claude_code,
    cursor,
    vscode,
    vscode_forks,
    windsurf,
    zed,
    cline,
    roo_code,
    kilo,
    continue_dev,
    gemini_cli,
    antigravity,
    codex,
    opencode,
    goose,
    lm_studio,
    amazon_q,
    kiro,
    junie,
    jetbrains,
    warp,
    amp,
    copilot_cli,
    crush,
    qwen_code,
    visual_studio,
    factory,
    augment,
    trae,
    mistral_vibe,
    kimi,
    grok,
    mcporter,
    fast_agent,
    librechat,
    five_ire,
    witsy,
    boltai,
    raycast,
    anythingllm,
    abacus,
    openclaw,
    hermes,
    pi,
    tabnine,
    iflow,
    forge,
    mastra,
    codebuddy,
    fx,
    qoder,
    sema4,
}

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
