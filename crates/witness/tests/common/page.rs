//! Pages of docs/ whose tables come from the code. With `WRITE_FORMAT=1` a
//! table that differs is put into the page instead.

use std::path::PathBuf;

/// Compares what stands between two markers of a page of docs/.
pub fn compare(page: &str, block: &str, wanted: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    let text = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = (format!("<!-- {block}:begin -->\n"), format!("<!-- {block}:end -->"));
    let from = text.find(&begin).unwrap() + begin.len();
    let until = text.find(&end).unwrap();
    if text[from..until] == *wanted {
        return;
    }
    if std::env::var_os("WRITE_FORMAT").is_some() {
        let changed = format!("{}{wanted}{}", &text[..from], &text[until..]);
        std::fs::write(path, changed).unwrap();
        return;
    }
    panic!("{block} in docs/{page} is not what the code does; it should be:\n{wanted}");
}

/// An operation's name as pages have it: small letters, with hyphens.
pub fn operation_name(operation: abi::Operation) -> String {
    let mut name = String::new();
    for (at, c) in format!("{operation:?}").chars().enumerate() {
        if c.is_uppercase() && at > 0 {
            name.push('-');
        }
        name.extend(c.to_lowercase());
    }
    name
}

/// Every error by number.
pub fn errors() -> String {
    let mut table = String::from("| number | name | stage | means |\n| --- | --- | --- | --- |\n");
    for error in abi::Error::ALL {
        let (number, name, text) = (error.number(), error.name(), error.text());
        table += &format!("| {number} | {name} | {} | {text} |\n", error.stage() as u8);
    }
    table
}
