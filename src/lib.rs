//! Ringfence keeps workloads of different sensitivity apart in Kubernetes.
//!
//! From a declarative inventory of workloads and how sensitive each one is it writes complete Kustomize-style trees, which are committed and
//! applied by Argo CD or Flux. It answers the five orchestrator risks of NIST SP 800-190 (3.3.1 - 3.3.5).
//!
//! # The pipeline
//! Stages are free functions, the states between them are nouns, findings are data:
//!
//! ```text
//! inventory::load -> Inventory -> model::resolve -> Model -> plan::plan -> Plan -> render::manifests -> Tree -> tree::compare -> Delta -> tree::write
//! ```
//!
//! | stage | promises |
//! |---|---|
//! | [`inventory::load`] | the only reader of the inventory; unknown and duplicate keys are reported, never guessed |
//! | [`model::resolve`] | references, defaults, derivation; every refusal about the inventory, all in one run |
//! | [`plan::plan`] | every path, template and value, with owner and origin; paths are written once and prefix-free; printable |
//! | [`render::manifests`] | pure and parallel; can fail on a defective blueprint alone |
//! | [`tree::compare()`] | what each path on disk is: missing, changed, edited by hand, foreign, stale |
//! | [`tree::write()`] | writes what changed, deletes what the lock owns, survives being stopped at any moment |
//!
//! Beside them: [`source`] owns all text, [`diag`] turns findings into text for people and machines, [`yaml`] reads with places and writes
//! canonically, [`schema`] knows Kubernetes' objects by minor, [`kustomize`] builds what a
//! team already has, [`catalog`] reads the blueprints, [`cli`] is the only part that prints or looks
//! at the clock.
//!
//! # Invariants
//! Code cites them by number.
//!
//! - **I1** Sensitivity is the input. Every isolation object derives from a workload's tier; nobody writes a toleration by hand.
//! - **I2** Nothing is lost silently. What is unknown, misspelt, dangling, duplicate or unsupported is an error with its place and a next step.
//! - **I3** All refusing happens before rendering. Rendering a valid plan cannot fail, except for a defective blueprint of a user.
//! - **I4** Same input, same bytes. No clock, host name, absolute path, tool version or random value reaches a generated object.
//! - **I5** We touch only what we own. The lock lists every file that we wrote; other files are never changed or deleted.
//! - **I6** A tree is whole or absent. What an interrupted run leaves is detected and repaired by the next.
//! - **I7** Values cannot become structure. A string of the inventory arrives as that string in every YAML reader.
//! - **I8** Least privilege by default. No wildcard, no cluster-admin, no built-in `edit`, no `default` project, no secret values.
//! - **I9** The claim is checked on the final tree, after the user's own patches, not on the intent.

pub mod catalog;
pub mod cli;
pub mod decode;
pub mod diag;
pub mod formats;
pub mod inventory;
pub mod kustomize;
pub mod model;
pub mod plan;
pub mod render;
pub mod schema;
pub mod source;
pub mod tree;
pub mod yaml;
