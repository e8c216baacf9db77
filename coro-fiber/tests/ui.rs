//! What must not compile, and why it does not.

#[test]
fn misuse_of_co_and_of_scopes_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
