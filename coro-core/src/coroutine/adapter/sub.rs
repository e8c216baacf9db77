//! Adapters as something to delegate to.

use super::{Chain, Inspect, MapReturn, MapYield, Take, Zip};
use crate::backend::{Delegation, IntoSub};
use crate::coroutine::{Coroutine, FromIter, MisuseKind};

macro_rules! into_sub {
    ($($type:ident<$($parameter:ident $(: $bound:ident)?),*>;)*) => {$(
        impl<$($parameter $(: $bound)?,)* Sent, Yield, Error> IntoSub<Sent, Yield, Error> for $type<$($parameter),*>
        where
            Self: Coroutine<Send = Sent, Yield = Yield, Error = Error, Return: 'static> + 'static,
            Sent: 'static,
            Yield: 'static,
            Error: 'static,
        {
            type Return = <Self as Coroutine>::Return;

            fn into_sub(
                self,
                first: Option<Sent>,
            ) -> Result<Delegation<Sent, Yield, Self::Return, Error>, MisuseKind> {
                Delegation::of(self, first)
            }
        }
    )*};
}

into_sub! {
    MapYield<C, F>;
    MapReturn<C, F>;
    Inspect<C, F>;
    Take<C>;
    Chain<C: Coroutine, D: Coroutine>;
    Zip<C: Coroutine, D: Coroutine>;
    FromIter<I, S, E>;
}
