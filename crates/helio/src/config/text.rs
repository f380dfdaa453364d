//! The file `heliograph.toml`.

use std::path::Path;

use toml_edit::{Array, Document, DocumentMut, Item, Table, Value as Toml};

use super::setting::{self, Setting, Value};
use crate::error::{HelioError, Result};

/// What a line of a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Of which setting.
    pub setting: &'static Setting,
    /// That it is this.
    pub value: Value,
    /// Number of the line, from 1.
    pub line: usize,
}

/// Reads a file's text; `path` is for messages.
///
/// # Errors
/// It is no TOML, or a line says something that is no setting, or no value of
/// that setting. The line is named.
pub fn read(path: &Path, text: &str) -> Result<Vec<Said>> {
    let line_of = |at: Option<usize>| {
        let before = text.as_bytes().get(..at.unwrap_or(0)).unwrap_or_default();
        before.iter().filter(|&&byte| byte == b'\n').count() + 1
    };
    let place = |line: usize| format!("{}:{line}", path.display());
    let document = Document::parse(text).map_err(|error| {
        let line = line_of(error.span().map(|span| span.start));
        let reason = error.message().trim().replace('\n', ", ");
        HelioError::input("configuration", place(line), reason, "mend this line; it is TOML")
    })?;
    let mut said = Vec::new();
    for (name, item) in document.as_table() {
        let start = document.as_table().key(name).and_then(|key| key.span()).map(|it| it.start);
        let Some(table) = item.as_table_like() else {
            // One that lies in no table has a name without a point.
            return Err(setting::find(name, &place(line_of(start))).map_or_else(
                |error| error,
                |it| it.refusal(&place(line_of(start)), "it belongs into a table"),
            ));
        };
        if table.is_empty() && !setting::SETTINGS.iter().any(|it| is_in(it, name)) {
            setting::find(name, &place(line_of(start)))?;
        }
        for (key, item) in table.iter() {
            let start = table.key(key).and_then(|key| key.span()).map(|it| it.start);
            let line = line_of(start);
            let setting = setting::find(&format!("{name}.{key}"), &place(line))?;
            let value = plain(item).ok_or_else(|| "it is no value of this kind".to_owned());
            let value = value.and_then(|text| setting.parse(&text));
            let value = value.map_err(|reason| setting.refusal(&place(line), &reason))?;
            said.push(Said { setting, value, line });
        }
    }
    Ok(said)
}

fn is_in(setting: &Setting, table: &str) -> bool {
    setting.key.split_once('.').is_some_and(|(name, _)| name == table)
}

/// A value of the file as a command line would have it.
fn plain(item: &Item) -> Option<String> {
    match item.as_value()? {
        Toml::String(text) => Some(text.value().clone()),
        Toml::Integer(number) => Some(number.value().to_string()),
        Toml::Boolean(is_on) => Some(is_on.value().to_string()),
        Toml::Array(array) => {
            let names: Option<Vec<_>> = array.iter().map(Toml::as_str).collect();
            Some(names?.join(","))
        }
        _ => None,
    }
}

/// The text with a setting changed, or taken out where there is no value; the
/// rest of it, comments too, stays as it is.
///
/// # Errors
/// The text is wrong already: nothing is changed that is not understood.
pub fn changed(
    path: &Path,
    text: &str,
    setting: &Setting,
    value: Option<&Value>,
) -> Result<String> {
    read(path, text)?;
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        HelioError::input("configuration", path.display(), error.message(), "mend the file")
    })?;
    let (name, key) = setting.key.split_once('.').unwrap_or((setting.key, ""));
    match value {
        Some(value) => {
            let table = document.entry(name).or_insert_with(|| Item::Table(Table::new()));
            let Some(table) = table.as_table_like_mut() else {
                return Err(setting.refusal(&path.display().to_string(), "its table is none"));
            };
            let new = toml(value);
            match table.get_mut(key).and_then(Item::as_value_mut) {
                Some(old) => {
                    // What is around it, a comment say, is a part of the old.
                    let around = old.decor().clone();
                    *old = new;
                    *old.decor_mut() = around;
                }
                None => {
                    table.insert(key, Item::Value(new));
                }
            }
        }
        None => {
            if let Some(table) = document.get_mut(name).and_then(Item::as_table_like_mut) {
                table.remove(key);
            }
        }
    }
    let text = document.to_string();
    read(path, &text)?;
    Ok(text)
}

fn toml(value: &Value) -> Toml {
    match value {
        Value::Count(number) => i64::try_from(*number).unwrap_or(i64::MAX).into(),
        Value::Switch(is_on) => (*is_on).into(),
        Value::Names(names) => Toml::Array(names.iter().map(String::as_str).collect::<Array>()),
        other => other.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Result<Vec<(&'static str, String, usize)>> {
        let said = read(Path::new("heliograph.toml"), text)?;
        Ok(said.iter().map(|it| (it.setting.key, it.value.to_string(), it.line)).collect())
    }

    #[test]
    fn values_come_with_their_lines() {
        let text = "# mine\n[memory]\nheap = \"64 MiB\"\n\n[tasks]\nmost = 4\npace = false\n\
                    [build]\nfeatures = [\"a\", \"b\"]\n";
        let expected = [
            ("memory.heap", "64 MiB".into(), 3),
            ("tasks.most", "4".into(), 6),
            ("tasks.pace", "false".into(), 7),
            ("build.features", "a,b".into(), 9),
        ];
        assert_eq!(said(text).unwrap(), expected);
        assert_eq!(said("memory.heap = 67108864\n").unwrap()[0].1, "64 MiB");
        assert_eq!(said("").unwrap(), []);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, place, reason) in [
            ("[memory]\nheap = 5\n", ":2", "5 is not between"),
            ("[memory]\n\nheep = 5\n", ":3", "there is no setting memory.heep"),
            ("[memmory]\nheap = 5\n", ":2", "there is no setting memmory.heap"),
            ("\n[nothing]\n", ":2", "there is no setting nothing"),
            ("heap = 5\n", ":1", "there is no setting heap"),
            ("[tasks]\npace = 1.5\n", ":2", "no value of this kind"),
            ("[tasks]\npace = \"maybe\"\n", ":2", "neither true nor false"),
            ("[tasks]\nmost = 4\nmost = 5\n", ":3", "duplicate key"),
            ("[tasks]\nmost = \n", ":2", ""),
        ] {
            let error = said(text).unwrap_err();
            assert!(error.object().ends_with(place), "{text:?}: {error}");
            assert!(error.reason().contains(reason), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_change_leaves_comments_and_order() {
        let path = Path::new("heliograph.toml");
        let text = "# mine\n[tasks]\nmost = 4 # few\n";
        let change = |text: &str, key: &str, value: Option<&str>| {
            let setting = setting::find(key, "test").unwrap();
            let value = value.map(|value| setting.parse(value).unwrap());
            changed(path, text, setting, value.as_ref()).unwrap()
        };
        let more = change(text, "tasks.most", Some("9"));
        assert_eq!(more, "# mine\n[tasks]\nmost = 9 # few\n");
        let more = change(&more, "memory.heap", Some("64MiB"));
        assert_eq!(more, "# mine\n[tasks]\nmost = 9 # few\n\n[memory]\nheap = \"64 MiB\"\n");
        let less = change(&more, "tasks.most", None);
        assert!(!less.contains("most") && less.contains("heap"), "{less}");
        assert!(changed(path, "[", &setting::SETTINGS[0], None).is_err());
    }
}
