//! What `kustomize build` makes of a folder: the objects of an application that a team already has, each value with the place where it was
//! written.
//!
//! It is kustomize 5.8.1 for the features that such folders use, and a clear refusal for the rest: a feature that is not here, a file outside
//! the project, a symbolic link, a folder without end. Nothing is approximated. What kustomize itself does not tell from YAML (`no`, `1e3`) is
//! refused; what all readers of Kubernetes agree on (`defaultMode: 0444`) is not.
//!
//! | part | does |
//! |---|---|
//! | `folder` | the only reader: files below the project's root, within bounds, each remembered for the digest |
//! | `kustomization` | the file's keys |
//! | `target` | one folder: resources, generators, components, then the transformers in kustomize's order |
//! | `resource` | an object and what it was called before |
//! | `merge`, `json_patch`, `select` | patches and whom they mean |
//! | `generate`, `transform`, `references` | generators and their hashes; labels, names, images; references to names that changed |

mod edit;
mod folder;
mod generate;
mod json_patch;
mod kustomization;
mod merge;
mod references;
mod resource;
mod schema;
mod select;
mod target;
mod transform;

use std::path::Path;

pub use folder::KUSTOMIZATIONS;

use crate::diag::{Code, Diag};
use crate::source::{Files, Span};
use crate::tree::Digest;
use crate::yaml::Node;

/// What a folder builds to.
#[derive(Clone, Debug)]
pub struct Build {
    /// The objects, in the order of their identities.
    pub objects: Vec<Node>,
    /// The digest of every file that was read: each one's path and bytes, after their lengths, in the order of the paths.
    pub digest: Digest,
}

/// What a step gives, or the finding that ends the build: kustomize, too, stops at the first.
type Step<T> = Result<T, Box<Diag>>;

/// The finding that kustomize would refuse the folder as well.
fn invalid(span: Span, message: impl Into<String>) -> Box<Diag> {
    Box::new(Diag::new(Code::SourceInvalid, span, message))
}

/// The finding that a feature is not taken over.
fn unsupported(span: Span, message: impl Into<String>) -> Box<Diag> {
    Box::new(Diag::new(Code::SourceUnsupported, span, message))
}

/// Builds the folder at a path below the project's root. `stated` is where the inventory names it; nothing is read of the folders that are `apart`,
/// which hold no source: the inventory, the trees.
pub fn build(root: &Path, apart: &[&Path], path: &str, stated: Span, files: &mut Files) -> Result<Build, Box<Diag>> {
    let mut reader = folder::Reader::new(root, apart, files);
    let built = reader.first_folder(path, stated).and_then(|folder| target::build(&mut reader, &folder, stated));
    let mut built = built.map_err(|mut diag| {
        if diag.help.is_empty() {
            diag.help.push("Mend it where it is written: `kustomize build` of the folder has to succeed too.".to_owned());
        }
        diag
    })?;
    built.sort_by_cached_key(resource::Resource::id);
    let digest = reader.digest();
    Ok(Build { objects: built.into_iter().map(|resource| resource.node).collect(), digest })
}
