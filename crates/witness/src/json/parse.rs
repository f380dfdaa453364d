//! A strict parser (RFC 8259) for values without fractions or exponents.

use super::{Integer, Object, Value};
use alloc::{string::String, string::ToString, vec::Vec};
use core::fmt;

/// Deepest nesting of arrays and objects.
pub const DEPTH_MAX: usize = 32;

/// Why a text is not the JSON that is asked for, and at which byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonError {
    /// Something else should stand here.
    Syntax(usize),
    /// The text ends too early.
    End,
    /// A number that is not an integer of at most 53 bits.
    Number(usize),
    /// A string with a raw control character or a bad escape.
    String(usize),
    /// An object that has a key twice.
    DuplicateKey(usize),
    /// Nested deeper than [`DEPTH_MAX`].
    Depth(usize),
    /// Valid, but not in canonical form.
    NotCanonical,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(at) => write!(f, "byte {at}: not JSON"),
            Self::End => f.write_str("the JSON text ends too early"),
            Self::Number(at) => write!(f, "byte {at}: not an integer of at most 53 bits"),
            Self::String(at) => write!(f, "byte {at}: not a JSON string"),
            Self::DuplicateKey(at) => write!(f, "byte {at}: the key appeared before"),
            Self::Depth(at) => write!(f, "byte {at}: nested too deeply"),
            Self::NotCanonical => f.write_str("not in the canonical form of RFC 8785"),
        }
    }
}

impl core::error::Error for JsonError {}

/// The value that the whole text spells.
pub fn parse(text: &str) -> Result<Value, JsonError> {
    let mut parser = Parser { text, at: 0 };
    let value = parser.value(0)?;
    parser.blank();
    if parser.at == text.len() { Ok(value) } else { Err(JsonError::Syntax(parser.at)) }
}

/// Like [`parse`], and refuses a text that is not its value's canonical form.
pub fn parse_canonical(text: &str) -> Result<Value, JsonError> {
    let value = parse(text)?;
    if value.to_string() == text { Ok(value) } else { Err(JsonError::NotCanonical) }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Result<u8, JsonError> {
        let byte = self.peek().ok_or(JsonError::End)?;
        self.at += 1;
        Ok(byte)
    }

    fn blank(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Takes `byte` if it is next.
    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.take(byte) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> JsonError {
        if self.peek().is_none() { JsonError::End } else { JsonError::Syntax(self.at) }
    }

    fn value(&mut self, depth: usize) -> Result<Value, JsonError> {
        if depth > DEPTH_MAX {
            return Err(JsonError::Depth(self.at));
        }
        self.blank();
        match self.peek().ok_or(JsonError::End)? {
            b'n' => self.word("null", Value::Null),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'"' => self.string().map(Value::String),
            b'[' => self.array(depth).map(Value::Array),
            b'{' => self.object(depth).map(Value::Object),
            b'-' | b'0'..=b'9' => self.number().map(Value::Integer),
            _ => Err(JsonError::Syntax(self.at)),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
        for byte in word.bytes() {
            self.expect(byte)?;
        }
        Ok(value)
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Value>, JsonError> {
        let mut values = Vec::new();
        self.expect(b'[')?;
        self.blank();
        if self.take(b']') {
            return Ok(values);
        }
        loop {
            values.push(self.value(depth + 1)?);
            self.blank();
            if self.take(b']') {
                return Ok(values);
            }
            self.expect(b',')?;
        }
    }

    fn object(&mut self, depth: usize) -> Result<Object, JsonError> {
        let mut members = Vec::new();
        self.expect(b'{')?;
        self.blank();
        if self.take(b'}') {
            return Ok(Object::new());
        }
        loop {
            self.blank();
            let at = self.at;
            let key = self.string()?;
            self.blank();
            self.expect(b':')?;
            members.push((at, key, self.value(depth + 1)?));
            self.blank();
            if self.take(b'}') {
                return Object::of(members).map_err(JsonError::DuplicateKey);
            }
            self.expect(b',')?;
        }
    }

    fn number(&mut self) -> Result<Integer, JsonError> {
        let start = self.at;
        while let Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        let text = &self.text[start..self.at];
        let is_negative = text.starts_with('-');
        let magnitude = super::decimal(if is_negative { &text[1..] } else { text })
            .and_then(|magnitude| i64::try_from(magnitude).ok())
            // Minus zero is a float's value, not an integer's.
            .filter(|&magnitude| !(is_negative && magnitude == 0));
        magnitude
            .map(|magnitude| if is_negative { -magnitude } else { magnitude })
            .and_then(Integer::new)
            .ok_or(JsonError::Number(start))
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.expect(b'"')?;
        let mut string = String::new();
        loop {
            let start = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..=0x1f)) {
                self.at += 1;
            }
            // Both ends are ASCII characters or ends: character boundaries.
            string.push_str(&self.text[start..self.at]);
            let at = self.at;
            match self.next()? {
                b'"' => return Ok(string),
                b'\\' => string.push(self.escape()?),
                _ => return Err(JsonError::String(at)),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let at = self.at;
        Ok(match self.next()? {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.unit()?;
                let mut units = [first, 0];
                let mut count = 1;
                if (0xd800..0xdc00).contains(&first) {
                    if !(self.take(b'\\') && self.take(b'u')) {
                        return Err(JsonError::String(at));
                    }
                    units[1] = self.unit()?;
                    count = 2;
                }
                let decoded = char::decode_utf16(units.into_iter().take(count)).next();
                decoded.and_then(Result::ok).ok_or(JsonError::String(at))?
            }
            _ => return Err(JsonError::String(at)),
        })
    }

    fn unit(&mut self) -> Result<u16, JsonError> {
        let at = self.at;
        let mut unit = 0;
        for _ in 0..4 {
            let digit = char::from(self.next()?).to_digit(16).ok_or(JsonError::String(at))?;
            unit = unit << 4 | digit as u16;
        }
        Ok(unit)
    }
}
