//! What may flow: the policies of whole trees, read as Kubernetes and the network plugins read them, open exactly the flows that the inventory
//! declares. What is declared is worked out from the inventory alone; nothing here asks the program what it meant.

#![allow(clippy::unwrap_used, reason = "a test fails where its setting does")]

#[allow(dead_code, reason = "shared; this uses a part")]
#[path = "support/program.rs"]
mod program;
#[allow(dead_code, reason = "shared; this uses a part")]
#[path = "support/small_fleet.rs"]
mod small_fleet;

#[path = "network/declared.rs"]
mod declared;
#[path = "network/endpoints.rs"]
mod endpoints;
#[path = "network/matrix.rs"]
mod matrix;
#[path = "network/mutations.rs"]
mod mutations;
#[path = "network/policies.rs"]
mod policies;
#[path = "network/suite.rs"]
mod suite;
#[path = "network/waived.rs"]
mod waived;
