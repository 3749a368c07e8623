//! Defenter's own settings.
//!
//! Owns: the keys, their meaning, defaults and bounds; the layers; where each value came from.
//! Accepts: files as bytes with their paths, an environment, flags; all hostile.
//! Emits: [`Loaded`], or a [`SettingsError`] that names the key, the place and the nearest key.
//! Promises: a key that is not known is an error, never ignored; a value outside its bounds is an
//! error, never clamped; a lower layer cannot change what the organisation locked.

mod check;
mod groups;
mod legacy;
mod load;
mod merge;
mod schema;
mod suggest;

pub use groups::{
    Audit, Console, Dialog, Durability, Exception, Format, Install, Level, Log, Notifications,
    Policy, Preset, Proxy, Redaction, Restart, Settings, Shutdown, Supervisor,
};
pub use load::{Explained, Layer, Loaded, Origin, SettingsError, Source, Sources, Warning};
pub use schema::{json_schema, json_schema_text};
