//! A run in one word, to be repeated.
//!
//! ```text
//!   coro-0.1.0-5e1fab0c-x-0204…-9c0d11f2
//!        │     │        │ │     └ checksum
//!        │     │        │ └ choices: variable-length numbers, runs of zeros counted
//!        │     │        └ x: any order; f: the order of production
//!        │     └ of the program's name
//!        └ of this library: its choices may come in another order in the next
//! ```

use std::fmt::Write;

/// Why a replay line cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// It is none, or part of one.
    #[error("this is not a whole replay line: copy all of it, from `coro-` to the end")]
    Garbled,
    /// It was made by another version of this library.
    #[error("this replay line was made by version {made_by}, and this is {}: explore again", VERSION)]
    OtherVersion {
        /// That version.
        made_by: String,
    },
    /// It is of another program.
    #[error("this replay line is of another program than {program}: run the one that printed it")]
    OtherProgram {
        /// The one that it was given to.
        program: &'static str,
    },
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a run did where something was left to chance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Recorded {
    pub(super) choices: Vec<u64>,
    /// In another order than that of production.
    pub(super) explores: bool,
}

impl Recorded {
    /// In one word, for `program`.
    pub(super) fn encode(&self, program: &str) -> String {
        let order = if self.explores { 'x' } else { 'f' };
        let mut line = format!("coro-{VERSION}-{:08x}-{order}-", checksum(program.as_bytes()));
        // Zeros at the end come by themselves.
        let used = self.choices.iter().rposition(|choice| *choice > 0).map_or(0, |last| last + 1);
        for byte in pack(&self.choices[..used]) {
            let _ = write!(line, "{byte:02x}");
        }
        let _ = write!(line, "-{:08x}", checksum(line.as_bytes()));
        line
    }

    pub(super) fn decode(line: &str, program: &'static str) -> Result<Self, ReplayError> {
        let line = line.trim();
        let whole = || {
            let (content, sum) = line.rsplit_once('-')?;
            let sum = u32::from_str_radix(sum, 16).ok()?;
            if sum != checksum(content.as_bytes()) {
                return None;
            }
            let mut parts = content.strip_prefix("coro-")?.rsplitn(4, '-');
            let (choices, order, name) = (parts.next()?, parts.next()?, parts.next()?);
            Some((parts.next()?, name, order, choices))
        };
        let (version, name, order, choices) = whole().ok_or(ReplayError::Garbled)?;
        if version != VERSION {
            return Err(ReplayError::OtherVersion { made_by: version.to_string() });
        }
        if name != format!("{:08x}", checksum(program.as_bytes())) {
            return Err(ReplayError::OtherProgram { program });
        }
        let choices = bytes(choices).and_then(|bytes| unpack(&bytes)).ok_or(ReplayError::Garbled)?;
        Ok(Self { choices, explores: order == "x" })
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    let pairs = digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    if digits.len().is_multiple_of(2) { pairs.collect() } else { None }
}

/// Numbers of seven bits a byte, the lowest first; after a zero, how many zeros.
fn pack(choices: &[u64]) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut rest = choices;
    while let Some((first, behind)) = rest.split_first() {
        push(&mut packed, *first);
        rest = behind;
        if *first == 0 {
            let zeros = rest.iter().take_while(|choice| **choice == 0).count();
            push(&mut packed, zeros as u64);
            rest = &rest[zeros..];
        }
    }
    packed
}

fn push(packed: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        packed.push(number as u8 | 0x80);
        number >>= 7;
    }
    packed.push(number as u8);
}

/// More than this is no record of a run.
const MOST: usize = 100_000_000;

fn unpack(mut packed: &[u8]) -> Option<Vec<u64>> {
    let mut choices = Vec::new();
    while !packed.is_empty() {
        let number = pop(&mut packed)?;
        choices.push(number);
        if number == 0 {
            let zeros = usize::try_from(pop(&mut packed)?).ok().filter(|zeros| *zeros < MOST)?;
            choices.resize(choices.len() + zeros, 0);
        }
    }
    Some(choices)
}

fn pop(packed: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for place in 0..10 {
        let (first, rest) = packed.split_first()?;
        *packed = rest;
        number |= u64::from(first & 0x7f).checked_shl(7 * place)?;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PROGRAM: &str = "bank::transfers";

    fn line() -> String {
        Recorded { choices: vec![3, 0, 0, 0, 1_000, 0], explores: true }.encode(PROGRAM)
    }

    #[test]
    fn a_line_is_short_and_says_what_it_is_of() {
        assert_eq!(line().matches('-').count(), 5);
        assert!(line().starts_with(&format!("coro-{VERSION}-")), "{}", line());
        assert!(line().contains("-x-030002e807-"), "{}", line());
    }

    #[test]
    fn what_is_no_whole_line_is_refused() {
        let whole = line();
        for end in 0..whole.len() {
            assert_eq!(Recorded::decode(&whole[..end], PROGRAM), Err(ReplayError::Garbled), "{end}");
        }
        for garbage in ["", "coro", "coro-----", "coro-0.1.0-zz-x-0-00000000", "🦀", "00000000"] {
            assert_eq!(Recorded::decode(garbage, PROGRAM), Err(ReplayError::Garbled), "{garbage}");
        }
        let changed = whole.replacen("-x-03", "-x-04", 1);
        assert_eq!(Recorded::decode(&changed, PROGRAM), Err(ReplayError::Garbled));
    }

    fn signed(content: String) -> String {
        format!("{content}-{:08x}", checksum(content.as_bytes()))
    }

    #[test]
    fn a_line_of_another_program_or_version_is_refused() {
        let other = Recorded::decode(&line(), "bank::deposits");
        assert_eq!(other, Err(ReplayError::OtherProgram { program: "bank::deposits" }));
        let old = signed("coro-0.0.7-beta-00000000-x-00".to_string());
        assert_eq!(
            Recorded::decode(&old, PROGRAM),
            Err(ReplayError::OtherVersion { made_by: "0.0.7-beta".into() })
        );
    }

    #[test]
    fn numbers_that_are_cut_off_or_too_many_are_refused() {
        let name = checksum(PROGRAM.as_bytes());
        for choices in ["8", "ff", "00", "00ffffffffffff7f", "ffffffffffffffffffffff01", "zz"] {
            let line = signed(format!("coro-{VERSION}-{name:08x}-x-{choices}"));
            assert_eq!(Recorded::decode(&line, PROGRAM), Err(ReplayError::Garbled), "{choices}");
        }
    }

    proptest! {
        #[test]
        fn prop_a_line_gives_back_what_it_was_made_of(
            choices in prop::collection::vec(prop_oneof![3 => Just(0), 2 => 0_u64..300, 1 => any::<u64>()], 0..100),
            explores: bool,
        ) {
            let recorded = Recorded { choices, explores };
            let mut decoded = Recorded::decode(&recorded.encode(PROGRAM), PROGRAM).unwrap();
            decoded.choices.resize(recorded.choices.len(), 0);
            prop_assert_eq!(decoded, recorded);
        }
    }
}
