//! Two bodies cannot exchange their `Co`s, though both are lent as `&mut`.

use coro_core::native;

fn main() {
    let outer = native::borrowing::<u32, u32, (), (), _>(async |outer| {
        let inner = native::borrowing::<u32, u32, (), (), _>(async |inner| {
            std::mem::swap(outer, inner);
            Ok(())
        });
        drop(inner);
        Ok(())
    });
    drop(outer);
}
