//! Which laws random programs meet, and how often they must.

use std::collections::BTreeMap;

/// In how many programs each law was met.
pub type Laws = BTreeMap<&'static str, u32>;

/// The laws that the [reference interpreter](mod@super::reference) notes, and how many of a thousand programs must meet each.
pub const LAWS: [(&str, u32); 28] = [
    ("D1 a new sub", 100),
    ("D1 a value goes to the sub", 50),
    ("D2 the value of the sub", 50),
    ("D3 the error of the sub", 50),
    ("D4 a throw goes to the sub", 50),
    ("D5 an error replaces the exit", 2),
    ("D5 an exit closes the sub", 30),
    ("D5 an exit discards the value of the sub", 2),
    ("D5 the sub ignores the exit", 10),
    ("D5 the delegator of a sub that ignores the exit catches that", 3),
    ("D7 an iterator", 50),
    ("D8 a finished sub", 20),
    ("D8 a shared sub", 50),
    ("D8 a started sub", 20),
    ("L1 created refuses a value", 20),
    ("L2 throw into created", 20),
    ("L3 close of created", 20),
    ("L4 finished for ever", 50),
    ("L5 close of finished", 20),
    ("L5 throw into finished", 50),
    ("L6 running refuses everything", 50),
    ("L7 throw at a yield", 50),
    ("L8 a close is answered with a return", 2),
    ("L8 a close is answered with a yield", 10),
    ("L8 a close is answered with an error", 2),
    ("L8 a close lets Exit out", 30),
    ("L9 Exit meets handlers", 20),
    ("L11 an error finishes", 50),
];

/// Checks that `programs` random programs met every law often enough. Fewer than a thousand tell nothing.
///
/// # Panics
///
/// If they did not.
pub fn assert_every_law(programs: u32, laws: &Laws) {
    if programs < 1_000 {
        return;
    }
    for (law, least) in LAWS {
        let (met, least) = (laws.get(law).copied().unwrap_or(0), least * programs / 1_000);
        assert!(met >= least, "{law}: met by {met} of {programs} programs, not by {least}");
    }
}
