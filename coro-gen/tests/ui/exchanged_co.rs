//! Two bodies cannot exchange their `Co`s, though both are lent as `&mut`.


fn main() {
    let outer = coro_gen::borrowing::<u32, u32, (), (), _>(async |outer| {
        let inner = coro_gen::borrowing::<u32, u32, (), (), _>(async |inner| {
            std::mem::swap(outer, inner);
            Ok(())
        });
        drop(inner);
        Ok(())
    });
    drop(outer);
}
