//! The rules that a person's token has to meet: an `AuthenticationConfiguration` has no defaults, so that everything is said.

use super::control;
use crate::model::identity::Identity;
use crate::schema::Minor;

/// The first minor that serves `apiserver.config.k8s.io/v1` of it.
const STABLE: u8 = 34;

/// The paths that are answered without a token: load balancers and the server's own probes ask them.
const HEALTH: [&str; 3] = ["/livez", "/readyz", "/healthz"];
/// What kubeadm reads before a machine has an identity, to check a CA's digest that Cluster API has given it.
const CLUSTER_INFO: &str = "/api/v1/namespaces/kube-public/configmaps/cluster-info";

/// A CEL expression that must be true, and what is logged where it is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The expression.
    pub expression: String,
    /// The message.
    pub message: String,
}

/// Who authenticates people, and what their tokens have to prove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authentication {
    /// The version of the configuration's kind.
    pub api_version: &'static str,
    /// The identity provider.
    pub identity: Identity,
    /// What the token has to say.
    pub claim_rules: Vec<Rule>,
    /// Whom it may not name.
    pub user_rules: Vec<Rule>,
    /// Paths that need no token.
    pub anonymous: Vec<&'static str>,
}

impl Authentication {
    /// The rules for an identity provider. `waived` says which controls the cluster is exempt from.
    pub fn new(identity: Identity, minor: Minor, joins_by_token: bool, waived: impl Fn(&str) -> bool) -> Self {
        let mut claim_rules = Vec::new();
        if let Some((claim, value)) = identity.mfa.as_ref().filter(|_| !waived(control::SECOND_FACTOR)) {
            let (name, wanted) = (literal(claim), literal(value));
            // Some providers state one method, others a list of them. `in` and `has` do not work on claims, an optional index does.
            let claimed = format!("claims[?{name}].orValue('')");
            let list = format!("type({claimed}) == list ? dyn(claims[{name}]).exists(held, held == {wanted})");
            let message = format!("the token does not prove a second factor: `{claim}` has to hold `{value}`");
            claim_rules.push(Rule { expression: format!("{list} : {claimed} == {wanted}"), message });
        }
        if !waived(control::TOKEN_LIFETIME) {
            let seconds = identity.token_seconds;
            let message = format!("the token was issued for longer than {seconds} seconds");
            claim_rules.push(Rule { expression: format!("claims.exp - claims.iat <= {seconds}"), message });
        }
        // The prefix alone already keeps them apart; a token that tries is refused all the same.
        let [user, group] = [&identity.username_prefix, &identity.groups_prefix].map(|prefix| literal(&format!("{prefix}system:")));
        let user_rules = vec![
            Rule {
                expression: format!("!user.username.startsWith('system:') && !user.username.startsWith({user})"),
                message: "names that begin with `system:` are Kubernetes' own".to_owned(),
            },
            Rule {
                expression: format!("user.groups.all(group, !group.startsWith('system:') && !group.startsWith({group}))"),
                message: "groups that begin with `system:` are Kubernetes' own".to_owned(),
            },
        ];
        let api_version = if minor.number() < STABLE { "apiserver.config.k8s.io/v1beta1" } else { "apiserver.config.k8s.io/v1" };
        let anonymous = HEALTH.into_iter().chain(joins_by_token.then_some(CLUSTER_INFO)).collect();
        Self { api_version, identity, claim_rules, user_rules, anonymous }
    }
}

/// A text as a literal of CEL: what JSON escapes, CEL reads.
fn literal(text: &str) -> String {
    if text.chars().all(|c| !c.is_control() && !matches!(c, '\'' | '\\')) {
        format!("'{text}'")
    } else {
        serde_json::Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn what_would_end_a_literal_is_escaped() {
        assert_eq!(literal("https://acme.example/\"roles\""), "'https://acme.example/\"roles\"'");
        assert_eq!(literal("it's \\ \"so\"\n"), r#""it's \\ \"so\"\n""#);
    }
}
