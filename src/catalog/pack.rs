//! A pack: a framework's list of what it asks for, and the controls that answer each. Only packs know of frameworks; controls and kinds do not.

use super::control::Control;
use crate::decode::{Decode, Findings};
use crate::diag::{Code, Diag, did_you_mean};
use crate::source::{FileId, Spanned};
use crate::yaml::Node;
use std::collections::BTreeMap;

crate::record! {
    "a pack"
    /// `packs/PACK.yaml` as it is written.
    pub struct PackFile {
        /// The framework and its edition.
        pub title: String,
        /// How a requirement is cited, before its id: `SP 800-190`.
        pub cite: String,
        /// What the framework asks for, in its order.
        pub requirements: Vec<Spanned<Requirement>>,
    }
}

crate::record! {
    "a requirement"
    /// What a framework asks for.
    pub struct Requirement {
        /// Its number there.
        pub id: String,
        /// Its title there, or its gist.
        pub title: String,
        /// The controls that answer it.
        pub controls: Vec<Spanned<String>>,
        /// What is not done about it, or by whom; needed where no control answers it.
        pub note: Option<String>,
    }
}

/// A framework's list.
#[derive(Clone, Debug)]
pub struct Pack {
    /// The file's name without its ending.
    pub id: String,
    /// The framework and its edition.
    pub title: String,
    /// How a requirement is cited.
    pub cite: String,
    /// What the framework asks for, in its order.
    pub requirements: Vec<Spanned<Requirement>>,
    /// Its file.
    pub file: FileId,
}

impl Pack {
    /// Reads `packs/PACK.yaml`.
    pub(super) fn decode(id: &str, node: &Node, findings: &mut Findings) -> Option<Self> {
        let PackFile { title, cite, requirements } = PackFile::decode(node, findings)?;
        Some(Self { id: id.to_owned(), title, cite, requirements, file: node.span.file })
    }

    /// A finding for each control that is none, and for each requirement of which nothing is said.
    pub(super) fn check(&self, controls: &BTreeMap<String, Control>, findings: &mut Findings) {
        for requirement in &self.requirements {
            for name in &requirement.controls {
                findings.extend(unknown_control(name, controls));
            }
            if requirement.controls.is_empty() && requirement.note.is_none() {
                let message = format!("nothing is said of `{} {}`", self.cite, requirement.id);
                let diag = Diag::new(Code::BlueprintInvalid, requirement.span, message);
                findings.push(diag.help("Name its `controls`, or say in `note` who answers it."));
            }
        }
    }

    /// The requirements that a control answers, as they are cited: `SP 800-190 4.3.4`.
    pub fn cited<'a>(&'a self, control: &'a str) -> impl Iterator<Item = String> + 'a {
        let answered = self.requirements.iter().filter(move |requirement| requirement.controls.iter().any(|name| name.value == control));
        answered.map(|requirement| format!("{} {}", self.cite, requirement.id))
    }
}

/// The finding that there is no such control.
pub(super) fn unknown_control(name: &Spanned<String>, controls: &BTreeMap<String, Control>) -> Option<Diag> {
    if controls.contains_key(&name.value) {
        return None;
    }
    let diag = Diag::new(Code::BlueprintInvalid, name.span, format!("there is no control `{}`", name.value));
    let help = did_you_mean(name, controls.keys().map(String::as_str));
    Some(diag.help(help.unwrap_or_else(|| "Add `controls/NAME/control.yaml`; `ringfence explain` lists those there are.".to_owned())))
}
