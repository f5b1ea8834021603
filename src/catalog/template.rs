//! One template: which language it is written in, and what its output is.

use std::borrow::Cow;

use crate::source::{FileId, Span};

/// The template languages, chosen by a file's last extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// `*.j2`: `MiniJinja`.
    Jinja,
    /// `*.tera`: Tera 2.
    Tera,
}

/// What a template's output is, which decides how interpolated values are escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Output {
    /// `.yaml`, `.yml` and `.json`: a value is a JSON scalar, list or mapping.
    Data,
    /// `.md`: a value is text that opens no structure.
    Markdown,
    /// `.html`, `.xml` and `.svg`: a value is text, outside of tags or within a quoted attribute.
    Html,
    /// `.sh` and other shells of its quotes: a value is one single-quoted word.
    Shell,
    /// Anything else: plain text, one line.
    Text,
}

impl Output {
    /// What it is called in findings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Data => "YAML or JSON",
            Self::Markdown => "Markdown",
            Self::Html => "HTML or XML",
            Self::Shell => "a shell script",
            Self::Text => "plain text",
        }
    }

    /// The ending of a file's name that says so.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Data => ".yaml",
            Self::Markdown => ".md",
            Self::Html => ".html",
            Self::Shell => ".sh",
            Self::Text => ".txt",
        }
    }

    /// What a file of that name is; a template's own extension is looked through.
    pub fn of(name: &str) -> Self {
        let name = name.strip_suffix(".j2").or_else(|| name.strip_suffix(".tera")).unwrap_or(name);
        let (_, ending) = name.rsplit_once('.').unwrap_or_default();
        let of = [
            (Self::Data, &["yaml", "yml", "json"][..]),
            (Self::Markdown, &["md", "markdown"]),
            (Self::Html, &["html", "htm", "xhtml", "xml", "svg"]),
            (Self::Shell, &["sh", "bash", "dash", "ash", "ksh", "zsh"]),
        ];
        let known = of.iter().find(|(_, endings)| endings.iter().any(|known| known.eq_ignore_ascii_case(ending)));
        known.map_or(Self::Text, |(output, _)| *output)
    }
}

/// A template of a kind, or one that others include.
#[derive(Clone, Debug)]
pub struct Template {
    /// The path below `blueprints/`, which is also its name within the engines: `kinds/namespace/namespace.yaml.j2`.
    pub path: String,
    /// Its language.
    pub language: Language,
    /// What it writes.
    pub output: Output,
    /// Where findings point.
    pub file: FileId,
    /// Its source.
    pub text: Cow<'static, str>,
}

impl Template {
    /// The template in a file, unless the name says that it is none.
    pub(super) fn new(path: &str, file: FileId, text: Cow<'static, str>) -> Option<Self> {
        let language = match path.rsplit('.').next() {
            Some("j2") => Language::Jinja,
            Some("tera") => Language::Tera,
            _ => return None,
        };
        Some(Self { path: path.to_owned(), language, output: Output::of(path), file, text })
    }

    /// Group and version, and the kind, of the object that it makes, where both stand there in plain text.
    pub fn object_type(&self) -> Option<(&str, &str)> {
        let plain = |key: &str| {
            let mut stated = self.text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
            let value = stated.next()?.trim_end().trim_matches(['"', '\'']);
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '-');
            (stated.next().is_none() && !value.is_empty() && value.chars().all(is_name)).then_some(value)
        };
        (self.output == Output::Data).then_some(())?;
        Some((plain("apiVersion")?, plain("kind")?))
    }

    /// The name within its folder.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// An empty span at its very beginning.
    pub fn start(&self) -> Span {
        Span { file: self.file, start: 0, end: 0 }
    }

    /// Whether a site wrote it itself.
    pub fn is_own(&self) -> bool {
        matches!(self.text, Cow::Owned(_))
    }

    /// Whether it is only there for others to include: its name begins with an underscore.
    pub fn is_partial(&self) -> bool {
        self.name().starts_with('_')
    }
}

#[cfg(test)]
mod tests {
    use super::Output;

    #[test]
    fn the_name_without_the_template_extension_says_what_the_output_is() {
        for (name, output) in [
            ("deployment.yaml.j2", Output::Data),
            ("list.json.tera", Output::Data),
            ("report.html.tera", Output::Html),
            ("runbook.md.tera", Output::Markdown),
            ("join.sh.j2", Output::Shell),
            ("hosts.txt.j2", Output::Text),
            ("motd.j2", Output::Text),
            ("page.HTM", Output::Html),
            ("plan.svg.j2", Output::Html),
            ("join.zsh.j2", Output::Shell),
            ("app.service.j2", Output::Text),
        ] {
            assert_eq!(Output::of(name), output, "{name}");
        }
    }
}
