//! What the attribute says: the types that the signature does not have, and the flavours.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, Result, Token, Type, parenthesized};

use crate::flavour::Flavour;

/// The attribute's arguments, complete.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) send: TokenStream,
    pub(crate) yields: TokenStream,
    pub(crate) is_task: bool,
    pub(crate) flavours: Vec<Flavour>,
}

/// The attribute's arguments, as they are written.
#[derive(Default)]
struct Written {
    send: Option<Type>,
    yields: Option<Type>,
    task: Option<Ident>,
    flavours: Option<Vec<Flavour>>,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut written = Written::default();
        while !input.is_empty() {
            written.parse_one(input)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        written.complete()
    }
}

impl Written {
    fn parse_one(&mut self, input: ParseStream<'_>) -> Result<()> {
        // `yield` is a keyword, and a likely slip.
        let name = Ident::parse_any(input)?;
        match name.to_string().as_str() {
            "send" => set(&mut self.send, &name, parse_type(input)?),
            "yields" => set(&mut self.yields, &name, parse_type(input)?),
            "task" => set(&mut self.task, &name, name.clone()),
            "flavours" => set(&mut self.flavours, &name, parse_flavours(&name, input)?),
            "raises" | "returns" => Err(Error::new(
                name.span(),
                format!("`{name}` is said by the function: declare it `-> Result<R, Thrown<E>>`"),
            )),
            _ => Err(Error::new(
                name.span(),
                "unknown option: there are `send = T`, `yields = T`, `task` and `flavours(native, generator, fiber)`",
            )),
        }
    }

    fn complete(self) -> Result<Options> {
        let is_task = self.task.is_some();
        let yields = match (self.yields, &self.task) {
            (Some(yields), None) => yields.into_token_stream(),
            (None, Some(_)) => quote!(::core::convert::Infallible),
            (Some(yields), Some(_)) => {
                return Err(Error::new_spanned(yields, "a task yields nothing: drop `yields`, or `task`"));
            }
            (None, None) => {
                return Err(Error::new(
                    Span::call_site(),
                    "say what the coroutine yields: `yields = T`, or `task` if it yields nothing and an event \
                     loop drives it",
                ));
            }
        };
        let send = match self.send {
            Some(send) if is_task => {
                return Err(Error::new_spanned(send, "nothing is sent to a task: drop `send`, or `task`"));
            }
            Some(send) => send.into_token_stream(),
            None => quote!(()),
        };
        Ok(Options {
            send,
            yields,
            is_task,
            flavours: self.flavours.unwrap_or_else(|| vec![Flavour::Native]),
        })
    }
}

fn set<T>(slot: &mut Option<T>, name: &Ident, value: T) -> Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::new(name.span(), format!("`{name}` is given twice"))),
    }
}

fn parse_type(input: ParseStream<'_>) -> Result<Type> {
    input.parse::<Token![=]>()?;
    input.parse()
}

fn parse_flavours(name: &Ident, input: ParseStream<'_>) -> Result<Vec<Flavour>> {
    let list;
    parenthesized!(list in input);
    let mut flavours = Vec::new();
    for name in Punctuated::<Ident, Token![,]>::parse_terminated(&list)? {
        let Some(flavour) = Flavour::named(&name) else {
            return Err(Error::new(
                name.span(),
                "unknown flavour: there are `native`, `generator` and `fiber`",
            ));
        };
        if flavours.contains(&flavour) {
            return Err(Error::new(name.span(), format!("`{name}` is given twice")));
        }
        flavours.push(flavour);
    }
    if flavours.is_empty() {
        return Err(Error::new(name.span(), "name a flavour: `native`, `generator` or `fiber`"));
    }
    Ok(flavours)
}
