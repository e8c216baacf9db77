//! The flavours: how each spells a coroutine, its `Co` and a suspension.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

/// A way to write a coroutine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    Native,
    Generator,
    Fiber,
}

impl Flavour {
    pub(crate) const ALL: [Self; 3] = [Self::Native, Self::Generator, Self::Fiber];

    /// The name of its function, and in the list of flavours.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Generator => "generator",
            Self::Fiber => "fiber",
        }
    }

    pub(crate) fn named(name: &Ident) -> Option<Self> {
        Self::ALL.into_iter().find(|flavour| name == flavour.name())
    }

    /// The type of its coroutines, without the arguments.
    pub(crate) fn coroutine(self) -> TokenStream {
        match self {
            Self::Native => quote!(::coro_core::native::Native),
            Self::Generator => quote!(::coro_gen::Gen),
            Self::Fiber => quote!(::coro_fiber::Fiber),
        }
    }

    /// The function that makes a coroutine of a body that may borrow, of a type that has no name. A fiber's may not.
    pub(crate) fn borrowing(self) -> Option<TokenStream> {
        match self {
            Self::Native => Some(quote!(::coro_core::native::borrowing)),
            Self::Generator => Some(quote!(::coro_gen::borrowing)),
            Self::Fiber => None,
        }
    }

    /// What its bodies suspend with.
    pub(crate) fn co(self, send: &TokenStream, yields: &TokenStream, error: &TokenStream) -> TokenStream {
        match self {
            Self::Native => quote!(::coro_core::native::Co<'_, #send, #yields, #error>),
            Self::Generator => quote!(::coro_gen::Co<'_, #send, #yields, #error>),
            Self::Fiber => quote!(::coro_fiber::Co<'_, #send, #yields, #error>),
        }
    }

    /// What goes before the body's closure.
    pub(crate) fn closure(self) -> TokenStream {
        match self {
            Self::Native | Self::Generator => quote!(async move),
            Self::Fiber => quote!(move),
        }
    }

    /// What goes after a call of its `Co`.
    pub(crate) fn suspended(self) -> TokenStream {
        match self {
            Self::Native | Self::Generator => quote!(.await),
            Self::Fiber => quote!(),
        }
    }
}
