//! Asks an API server over its own protocol, as anybody.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::{Method, Request};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

/// No request of a test takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who asks: the server takes the test's word for it (impersonation), so that whoever the trees name can be tried.
#[derive(Clone, Debug, serde::Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The user's name.
    pub user: String,
    /// Groups beside `system:authenticated`.
    #[serde(default)]
    pub groups: Vec<String>,
}

/// A connection to an API server.
#[derive(Clone)]
pub struct Client {
    agent: Agent,
    address: String,
    token: String,
    user: Option<User>,
}

/// How a PATCH is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patch {
    /// Server-side apply.
    Apply,
    /// JSON merge patch.
    Merge,
}

/// What the server said.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The object, or the `Status` that says what was wrong.
    pub body: Value,
    /// `Warning` headers.
    pub warnings: Vec<String>,
}

impl Client {
    /// A connection with a token of the server at a port of this machine, which shows a certificate signed as in the PEM file's text.
    pub fn new(port: u16, certificates: &[u8], token: &str) -> Self {
        let roots = parse_pem(certificates).filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        });
        let roots = RootCerts::Specific(Arc::new(roots.collect()));
        let config = Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .proxy(None);
        Self { agent: config.build().into(), address: format!("https://127.0.0.1:{port}"), token: token.to_owned(), user: None }
    }

    /// The same connection as somebody else.
    pub fn as_user(&self, user: &User) -> Self {
        Self { user: Some(user.clone()), ..self.clone() }
    }

    /// Reads what is at a path.
    pub fn get(&self, path: &str) -> Answer {
        self.send(&Method::GET, path, None, "application/json")
    }

    /// Creates an object in a collection.
    pub fn post(&self, path: &str, object: &Value) -> Answer {
        self.send(&Method::POST, path, Some(object), "application/json")
    }

    /// Replaces an object.
    pub fn put(&self, path: &str, object: &Value) -> Answer {
        self.send(&Method::PUT, path, Some(object), "application/json")
    }

    /// Changes an object.
    pub fn patch(&self, path: &str, how: Patch, change: &Value) -> Answer {
        let kind = match how {
            Patch::Apply => "application/apply-patch+yaml",
            Patch::Merge => "application/merge-patch+json",
        };
        self.send(&Method::PATCH, path, Some(change), kind)
    }

    /// Deletes an object at once, without the time that a kubelet would be given.
    pub fn delete(&self, path: &str) -> Answer {
        let options = serde_json::json!({ "apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0 });
        self.send(&Method::DELETE, path, Some(&options), "application/json")
    }

    /// The objects of a collection.
    pub fn list(&self, path: &str) -> Vec<Value> {
        let answer = self.get(path);
        match answer.body["items"].as_array() {
            Some(items) => items.clone(),
            None => panic!("{path} is no collection: {}", answer.message()),
        }
    }

    /// Whether somebody may do something, as the server's authorizers see it (a `SubjectAccessReview`).
    pub fn may(&self, who: &User, attributes: &Value) -> bool {
        let review = serde_json::json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": { "user": who.user, "groups": who.all_groups().collect::<Vec<_>>(), "resourceAttributes": attributes },
        });
        let answer = self.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", &review);
        answer.body["status"]["allowed"].as_bool().unwrap_or_else(|| panic!("no verdict: {}", answer.message()))
    }

    fn send(&self, method: &Method, path: &str, body: Option<&Value>, kind: &str) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Accept", "application/json")
            .header("Content-Type", kind);
        if let Some(user) = &self.user {
            request = request.header("Impersonate-User", &user.user);
            for group in user.all_groups() {
                request = request.header("Impersonate-Group", group);
            }
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        let sent = if body.is_empty() { self.agent.run(request.body(()).unwrap()) } else { self.agent.run(request.body(body).unwrap()) };
        match sent {
            Ok(mut response) => {
                let warnings = response.headers().get_all("warning").iter().map(|value| value.to_str().unwrap_or("unreadable").to_owned());
                let warnings = warnings.collect();
                let text = response.body_mut().with_config().limit(u64::MAX).read_to_string().unwrap_or_default();
                let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
                Answer { status: response.status().as_u16(), body, warnings }
            }
            Err(error) => Answer { status: 0, body: Value::String(format!("no answer: {error}")), warnings: Vec::new() },
        }
    }
}

impl User {
    /// The groups, with the one that everybody is in.
    fn all_groups(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(String::as_str).chain(["system:authenticated"])
    }
}

impl Answer {
    /// Whether the server did what was asked.
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The object, or what was wrong.
    pub fn ok(self) -> Result<Value, String> {
        if self.is_ok() { Ok(self.body) } else { Err(self.message()) }
    }

    /// What the server said was wrong.
    pub fn message(&self) -> String {
        let said = self.body["message"].as_str().or(self.body.as_str()).unwrap_or("nothing was said");
        format!("{}: {said}", self.status)
    }
}
