//! Rendering: a planned object's view through its template to text. Templates lay out; what to write was decided before.
//!
//! Both engines keep the same rules: what is undefined is an error, every value is escaped for what it stands in (see [`escape`]), nothing
//! from outside the view can be seen, and no template runs for ever or writes without end.

mod bounds;
mod engine;
pub mod escape;
mod failure;
mod guard;
mod includes;
mod jinja;
mod limits;
mod lint;
mod manifests;
mod place;
mod scan;
mod tera;
mod view;
mod written;

pub use engine::Engine;
pub use failure::Failure;
pub use manifests::manifests;
pub(crate) use manifests::once;
pub use view::{View, ViewValue};

/// The name of a template that another one includes: beside it, or in the folder that all share. A name that leads elsewhere is no
/// template's.
fn resolve(name: &str, parent: &str) -> String {
    if name.starts_with("shared/") {
        return name.to_owned();
    }
    let folder = parent.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{folder}/{name}")
}
