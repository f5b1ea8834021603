//! What the files below `bootstrap/` say, read as the tools do that they are for, and made fit for a scratch folder.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::issuer::Issuer;
use crate::judges::documents;
use crate::kms::Kms;

/// A flag without its dashes, and its value.
pub type Flag = (String, String);

/// The API server's flags, from whichever tool's file the cluster has.
pub fn flags(bootstrap: &Path) -> Vec<Flag> {
    for tool in ["rke2", "k3s"] {
        if let Ok(text) = fs::read_to_string(bootstrap.join(tool).join("servers/config.yaml.d/50-ringfence.yaml")) {
            return of_server(&documents(&text)[0]);
        }
    }
    for file in ["kubeadm/init.yaml", "cluster-api/cluster.yaml"] {
        if let Ok(text) = fs::read_to_string(bootstrap.join(file)) {
            let all = documents(&text);
            let at = |object: &Value| match object["kind"].as_str() {
                Some("ClusterConfiguration") => Some(object["apiServer"]["extraArgs"].clone()),
                Some("KubeadmControlPlane") => {
                    Some(object["spec"]["kubeadmConfigSpec"]["clusterConfiguration"]["apiServer"]["extraArgs"].clone())
                }
                _ => None,
            };
            let found = all.iter().find_map(at).expect("no flags");
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            return found.as_array().unwrap().iter().map(|flag| (text(&flag["name"]), text(&flag["value"]))).collect();
        }
    }
    // Nothing starts the server for us: the runbook lists them for people, and names two keys of RKE2.
    let text = fs::read_to_string(bootstrap.join("nodes.md")).unwrap();
    let listed = text.lines().filter_map(|line| line.strip_prefix("--")?.split_once('='));
    let mut flags: Vec<Flag> = listed.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert!(!flags.is_empty(), "the runbook lists no flags");
    flags.push(("audit-policy-file".to_owned(), "/audit-policy.yaml".to_owned()));
    flags.push(("admission-control-config-file".to_owned(), "/admission.yaml".to_owned()));
    flags
}

/// What RKE2 and K3s make of their own keys.
fn of_server(config: &Value) -> Vec<Flag> {
    let given = config["kube-apiserver-arg"].as_array().unwrap().iter();
    let mut flags: Vec<Flag> = given
        .map(|flag| {
            let (name, value) = flag.as_str().unwrap().split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        })
        .collect();
    for (key, name) in [("audit-policy-file", "audit-policy-file"), ("pod-security-admission-config-file", "admission-control-config-file")]
    {
        if let Some(file) = config[key].as_str() {
            flags.push((name.to_owned(), file.to_owned()));
        }
    }
    flags
}

/// Copies the control plane's files into a folder, for the issuer there is, and gives the flags that name them there.
pub fn installed(bootstrap: &Path, folder: &Path, issuer: &Issuer) -> Vec<Flag> {
    for entry in fs::read_dir(bootstrap.join("control-plane")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
    }
    let path = folder.join("authentication.yaml");
    let mut authentication = documents(&fs::read_to_string(&path).unwrap()).remove(0);
    // Nothing else: the issuer of the inventory is not there.
    authentication["jwt"][0]["issuer"]["url"] = issuer.address.as_str().into();
    authentication["jwt"][0]["issuer"]["certificateAuthority"] = issuer.certificate.as_str().into();
    write(&path, &authentication);
    let mut flags = flags(bootstrap);
    flags.retain(|(name, _)| name != "audit-log-path");
    for (name, value) in &mut flags {
        let file = PathBuf::from(&*value);
        match name.as_str() {
            // There is no kubelet to be asked.
            "kubelet-certificate-authority" => *value = text(&folder.join("issuer.crt")),
            _ if value.starts_with('/') => *value = text(&folder.join(file.file_name().unwrap())),
            _ => {}
        }
    }
    flags.push(("audit-log-path".to_owned(), text(&folder.join("audit.log"))));
    flags
}

/// Takes away what the files and flags hold, so that what they stop can be seen to go through without them.
pub fn without(folder: &Path, flags: &[Flag]) -> Vec<Flag> {
    let path = folder.join("authentication.yaml");
    let mut authentication = documents(&fs::read_to_string(&path).unwrap()).remove(0);
    for rules in ["claimValidationRules", "userValidationRules"] {
        authentication["jwt"][0].as_object_mut().unwrap().remove(rules);
    }
    authentication["anonymous"] = json!({ "enabled": true });
    write(&path, &authentication);
    Kms::without(flags);
    let kept = |name: &str| !matches!(name, "admission-control-config-file" | "enable-admission-plugins");
    flags.iter().filter(|(name, _)| kept(name)).cloned().collect()
}

fn write(path: &Path, value: &Value) {
    fs::write(path, value.to_string()).unwrap();
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
