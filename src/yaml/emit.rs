//! The canonical writer: one text for one value, in the layout of `kubectl`, which every reader of YAML 1.1 and 1.2 understands alike.
//!
//! Two spaces, lists at their key's column, no line ever wrapped. Keys come in the order in which people write Kubernetes objects
//! (`order`), and a string's style follows from its content alone (`text`).

mod flux;
mod order;
pub(in crate::yaml) mod text;

use std::fmt::Write;

use serde_json::{Map, Number, Value};

pub use flux::{contains_substitution, protect};
pub use text::double_quoted;

/// Longer keys are written `? key`, in bytes. Readers look for the colon of a simple key within 1,024 characters only, escapes included:
/// a byte is written as six at most.
const LONGEST_SIMPLE_KEY: usize = 120;

/// A whole file: `header` as comment lines, an empty line, then the documents with `---` lines between them.
///
/// What could end a comment or hide text in it (line breaks, control and invisible characters) becomes a space.
pub fn file(header: &[&str], documents: &[Value]) -> String {
    let mut out = String::new();
    for line in header {
        out.push('#');
        if !line.is_empty() {
            out.push(' ');
            out.push_str(&comment(line));
        }
        out.push('\n');
    }
    for (index, value) in documents.iter().enumerate() {
        if index > 0 {
            out.push_str("---\n");
        } else if !header.is_empty() {
            out.push('\n');
        }
        document(value, &mut out);
    }
    out
}

/// A line that no reader takes for more than one: line breaks, control and invisible characters become spaces.
pub fn comment(line: &str) -> String {
    line.chars().map(|c| if text::is_unprintable(c) { ' ' } else { c }).collect()
}

/// Appends one document, without a `---` line; it ends with a line break.
pub fn document(value: &Value, out: &mut String) {
    let mut writer = Writer { out, entries: Vec::new() };
    match value {
        Value::Object(map) if !map.is_empty() => writer.map(map, 0, false),
        Value::Array(items) if !items.is_empty() => writer.list(items, 0),
        leaf => writer.leaf(leaf, 0),
    }
}

struct Writer<'a> {
    out: &'a mut String,
    /// The entries of the mappings being written, each mapping's in its order, the innermost's last: one buffer for all of them.
    entries: Vec<(u8, &'a str, &'a Value)>,
}

impl<'a> Writer<'a> {
    /// Writes a mapping; the cursor is at its column already. `free` says that its keys are somebody's data, not fields of Kubernetes.
    fn map(&mut self, map: &'a Map<String, Value>, column: usize, free: bool) {
        let first = self.entries.len();
        self.entries.extend(map.iter().map(|(key, value)| (if free { 0 } else { order::rank(key) }, key.as_str(), value)));
        if !free {
            // Stable, and a `Map` is sorted: keys of one rank stay in the order of their bytes.
            self.entries[first..].sort_by_key(|(rank, ..)| *rank);
        }
        for at in first..self.entries.len() {
            let (_, key, value) = self.entries[at];
            if at > first {
                self.indent(column);
            }
            self.entry(key, value, column);
        }
        self.entries.truncate(first);
    }

    fn entry(&mut self, key: &'a str, value: &'a Value, column: usize) {
        let explicit = key.len() > LONGEST_SIMPLE_KEY;
        if explicit {
            self.out.push_str("? ");
        }
        text::key(key, self.out);
        if explicit {
            self.out.push('\n');
            self.indent(column);
        }
        self.out.push(':');
        match value {
            Value::Object(map) if !map.is_empty() => {
                self.out.push('\n');
                self.indent(column + 2);
                self.map(map, column + 2, order::is_free(key));
            }
            Value::Array(items) if !items.is_empty() => {
                let column = if explicit { column + 2 } else { column };
                self.out.push('\n');
                self.indent(column);
                self.list(items, column);
            }
            leaf => {
                self.out.push(' ');
                self.leaf(leaf, column);
            }
        }
    }

    /// Writes a list; the cursor is at its column already.
    fn list(&mut self, items: &'a [Value], column: usize) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.indent(column);
            }
            self.out.push_str("- ");
            match item {
                Value::Object(map) if !map.is_empty() => self.map(map, column + 2, false),
                Value::Array(items) if !items.is_empty() => self.list(items, column + 2),
                leaf => self.leaf(leaf, column),
            }
        }
    }

    /// Writes what has nothing below it, and the end of its line.
    fn leaf(&mut self, leaf: &Value, column: usize) {
        match leaf {
            Value::Null => self.out.push_str("null"),
            Value::Bool(true) => self.out.push_str("true"),
            Value::Bool(false) => self.out.push_str("false"),
            Value::Number(number) => self.number(number),
            Value::String(text) => return text::value(text, column, self.out),
            Value::Array(_) => self.out.push_str("[]"),
            Value::Object(_) => self.out.push_str("{}"),
        }
        self.out.push('\n');
    }

    fn number(&mut self, number: &Number) {
        let start = self.out.len();
        // Writing to a string cannot fail.
        let _ = write!(self.out, "{number}");
        let Some(exponent) = self.out[start..].find('e').map(|at| start + at) else { return };
        // YAML 1.1 knows an exponent only with its sign, and only after a dot: `1e21` is a text there.
        if !self.out[exponent + 1..].starts_with(['+', '-']) {
            self.out.insert(exponent + 1, '+');
        }
        if !self.out[start..exponent].contains('.') {
            self.out.insert_str(exponent, ".0");
        }
    }

    fn indent(&mut self, columns: usize) {
        const SPACES: &str = "                                                                ";
        let mut left = columns;
        while left > SPACES.len() {
            self.out.push_str(SPACES);
            left -= SPACES.len();
        }
        self.out.push_str(&SPACES[..left]);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    fn emitted(value: &Value) -> String {
        let mut out = String::new();
        super::document(value, &mut out);
        out
    }

    #[test]
    fn a_deployment_reads_as_people_write_it() {
        let value = json!({
            "kind": "Deployment",
            "apiVersion": "apps/v1",
            "spec": {
                "template": {
                    "spec": {
                        "volumes": [{"name": "tmp", "emptyDir": {}}],
                        "containers": [{
                            "resources": {"limits": {"memory": "64Mi"}, "requests": {"cpu": "250m"}},
                            "ports": [{"protocol": "TCP", "containerPort": 8080, "name": "http"}],
                            "env": [{"value": "on", "name": "FLAG"}, {"name": "PORT", "value": "8080"}],
                            "args": ["--listen=:8080", "-v", "a: b", ""],
                            "image": "registry.example/web:1.10",
                            "name": "web",
                        }],
                        "tolerations": [{"value": "high", "effect": "NoSchedule", "operator": "Equal", "key": "tier"}],
                    },
                    "metadata": {"labels": {"name": "web", "app": "web"}},
                },
                "selector": {"matchLabels": {"app": "web"}},
                "replicas": 2,
            },
            "metadata": {"annotations": {"note": "two\nlines\n"}, "labels": {"y": "1.0"}, "namespace": "shop", "name": "web"},
        });
        assert_eq!(
            emitted(&value),
            r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  labels:
    "y": "1.0"
  annotations:
    note: |
      two
      lines
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
        name: web
    spec:
      tolerations:
      - key: tier
        operator: Equal
        value: high
        effect: NoSchedule
      containers:
      - name: web
        image: registry.example/web:1.10
        args:
        - --listen=:8080
        - -v
        - 'a: b'
        - ""
        env:
        - name: FLAG
          value: "on"
        - name: PORT
          value: "8080"
        ports:
        - name: http
          containerPort: 8080
          protocol: TCP
        resources:
          limits:
            memory: 64Mi
          requests:
            cpu: 250m
      volumes:
      - name: tmp
        emptyDir: {}
"#
        );
    }

    #[test]
    fn every_shape_has_a_place_in_a_list() {
        let value = json!([[], [["a"], "b"], {}, {"k": []}, {"k": ["x"], "l": null}, true, "a\nb", 1]);
        assert_eq!(emitted(&value), "- []\n- - - a\n  - b\n- {}\n- k: []\n- k:\n  - x\n  l: null\n- true\n- |-\n  a\n  b\n- 1\n");
    }

    #[test]
    fn numbers_keep_their_type_in_yaml_1_1() {
        for (number, text) in [
            (json!(0), "0"),
            (json!(-17), "-17"),
            (json!(u64::MAX), "18446744073709551615"),
            (json!(1.0), "1.0"),
            (json!(0.5), "0.5"),
            (json!(1e21), "1.0e+21"),
            (json!(1.5e-9), "1.5e-9"),
        ] {
            assert_eq!(emitted(&number), format!("{text}\n"));
        }
    }

    #[test]
    fn a_long_key_is_written_as_an_explicit_one() {
        let long = "k".repeat(121);
        assert_eq!(emitted(&json!({&long: ["a"]})), format!("? {long}\n:\n  - a\n"));
        assert_eq!(emitted(&json!([{&long: 1, "a": 2}])), format!("- a: 2\n  ? {long}\n  : 1\n"));
    }

    #[test]
    fn a_file_has_a_header_and_dividers_and_nothing_escapes_from_a_comment() {
        let file = super::file(&["made by a tool", "", "x\nevil: true\u{2028}\r\u{202e}y"], &[json!({"a": 1}), json!({"b": 2})]);
        assert_eq!(file, "# made by a tool\n#\n# x evil: true   y\n\na: 1\n---\nb: 2\n");
        assert_eq!(super::file(&[], &[json!({"a": 1})]), "a: 1\n");
    }
}
