//! The API server starts again on a cluster that has the tree, as in an upgrade to a minor that brings a new role.

use crate::plane::Plane;
use crate::runner::Verdict;

/// A role that every API server makes at its start where it is missing.
const ROLE: &str = "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:public-info-viewer";

/// Without one of its own roles it becomes ready, and has made the role: a policy that refused it that would keep the server down for good.
pub fn survives(plane: &Plane<'_>) -> Verdict {
    plane.masters.delete(ROLE).ok()?;
    if plane.masters.get(ROLE).status != 404 {
        return Err("the role is still there, so the restart would show nothing".to_owned());
    }
    plane.restart(&[]);
    plane.masters.get(ROLE).ok().map(drop).map_err(|why| format!("the server is ready without its role: {why}"))
}
