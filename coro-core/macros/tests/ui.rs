//! What must not compile, and what is said about it.

#[test]
fn a_refused_body_is_refused_with_advice() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
