//! Bytes to keys: UTF-8 and the escape sequences of ANSI terminals.

/// A key, by what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Character(char),
    Enter,
    Interrupt,
    Backspace,
    Delete,
    KillWord,
    KillLine,
    KillRest,
    Left,
    Right,
    Home,
    End,
    Up,
    Down,
    Redraw,
    Complete,
    /// Anything else: a key without a meaning, or bytes that are no key.
    Unknown,
}

/// What the bytes so far are the beginning of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Keys {
    #[default]
    Nothing,
    /// A CR: an LF after it belongs to it.
    Return,
    /// ESC.
    Escape,
    /// ESC O.
    Application,
    /// ESC [ and this number.
    Control(u8),
    /// The first bytes of a character, and how many it has.
    Character { bytes: [u8; 4], have: usize, of: usize },
}

const ESCAPE: u8 = 0x1b;

impl Keys {
    /// Takes a byte; the key it completes, if it does.
    pub(super) fn feed(&mut self, byte: u8) -> Option<Key> {
        let before = core::mem::take(self);
        match (before, byte) {
            (Self::Return, b'\n') => None,
            // Control keys work, and end what is unfinished, everywhere.
            (_, 0x00..=0x1f | 0x7f) => self.control(byte),
            (Self::Escape, b'[') => self.become_state(Self::Control(0)),
            (Self::Escape, b'O') => self.become_state(Self::Application),
            (Self::Control(number), b'0'..=b'9') => {
                let number = number.saturating_mul(10).saturating_add(byte - b'0');
                self.become_state(Self::Control(number))
            }
            // Further parameters: modifiers, which do not matter here.
            (Self::Control(number), 0x20..=0x3f) => self.become_state(Self::Control(number)),
            (Self::Control(number), 0x40..=0x7e) => Some(sequence(byte, number)),
            (Self::Application, 0x20..=0x7e) => Some(sequence(byte, 0)),
            (Self::Escape, 0x20..=0x7e) => Some(Key::Unknown),
            (Self::Character { bytes, have, of }, 0x80..=0xbf) => {
                self.continue_character(bytes, have, of, byte)
            }
            _ => self.begin_character(byte),
        }
    }

    fn become_state(&mut self, state: Self) -> Option<Key> {
        *self = state;
        None
    }

    fn control(&mut self, byte: u8) -> Option<Key> {
        Some(match byte {
            b'\r' => {
                *self = Self::Return;
                Key::Enter
            }
            b'\n' => Key::Enter,
            ESCAPE => return self.become_state(Self::Escape),
            // Padding, as some lines send it.
            0x00 => return None,
            0x08 | 0x7f => Key::Backspace,
            0x01 => Key::Home,
            0x02 => Key::Left,
            0x03 => Key::Interrupt,
            0x04 => Key::Delete,
            0x05 => Key::End,
            0x06 => Key::Right,
            0x09 => Key::Complete,
            0x0b => Key::KillRest,
            0x0c => Key::Redraw,
            0x0e => Key::Down,
            0x10 => Key::Up,
            0x15 => Key::KillLine,
            0x17 => Key::KillWord,
            _ => Key::Unknown,
        })
    }

    fn begin_character(&mut self, byte: u8) -> Option<Key> {
        let of = match byte {
            0x20..=0x7e => return Some(Key::Character(char::from(byte))),
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => return Some(Key::Unknown),
        };
        self.become_state(Self::Character { bytes: [byte, 0, 0, 0], have: 1, of })
    }

    fn continue_character(
        &mut self,
        mut bytes: [u8; 4],
        have: usize,
        of: usize,
        byte: u8,
    ) -> Option<Key> {
        *bytes.get_mut(have)? = byte;
        if have + 1 < of {
            return self.become_state(Self::Character { bytes, have: have + 1, of });
        }
        let text = core::str::from_utf8(bytes.get(..of)?).unwrap_or_default();
        // Overlong forms and surrogates are no text; C1 controls are, but a
        // terminal would obey them.
        let character = text.chars().next().filter(|character| !character.is_control());
        Some(character.map_or(Key::Unknown, Key::Character))
    }
}

/// The key of a complete escape sequence.
fn sequence(last: u8, number: u8) -> Key {
    match (last, number) {
        (b'A', _) => Key::Up,
        (b'B', _) => Key::Down,
        (b'C', _) => Key::Right,
        (b'D', _) => Key::Left,
        (b'H', _) | (b'~', 1 | 7) => Key::Home,
        (b'F', _) | (b'~', 4 | 8) => Key::End,
        (b'~', 3) => Key::Delete,
        _ => Key::Unknown,
    }
}
