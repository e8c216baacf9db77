//! One function for each flavour, around the same tokens.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{
    Attribute, FnArg, GenericArgument, Ident, ItemFn, Pat, PathArguments, PathSegment, ReturnType, Type,
};

use crate::check::borrowed;
use crate::flavour::Flavour;
use crate::options::Options;

/// The namespace and its functions.
pub(crate) fn expand(options: &Options, function: &ItemFn) -> TokenStream {
    let ItemFn { attrs, vis, sig, .. } = function;
    let name = &sig.ident;
    let docs = attrs.iter().filter(|attribute| attribute.path().is_ident("doc"));
    let conditions: Vec<_> = attrs.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect();
    let flavours = options.flavours.iter().map(|flavour| expand_flavour(*flavour, options, function));
    quote! {
        #(#conditions)*
        #(#docs)*
        #[allow(non_camel_case_types, missing_debug_implementations)]
        #vis enum #name {}

        #(#conditions)*
        impl #name {
            #(#flavours)*
        }
    }
}

fn expand_flavour(flavour: Flavour, options: &Options, function: &ItemFn) -> TokenStream {
    let ItemFn { attrs, vis, sig, block } = function;
    let Options { send, yields, .. } = options;
    let attributes = attrs.iter().filter(|attribute| !is_of_the_namespace(attribute));
    let name = Ident::new(flavour.name(), sig.ident.span());
    let summary = format!("`{}`, as a {name} coroutine.", sig.ident);
    let generics = &sig.generics;
    let conditions = &generics.where_clause;
    let (parameters, moves): (Vec<_>, Vec<_>) = sig.inputs.iter().enumerate().map(parameter).unzip();
    let ends = match &sig.output {
        ReturnType::Type(_, ends) => ends.as_ref(),
        ReturnType::Default => unreachable!("checked before"),
    };
    let (returns, raises) = result_types(ends, options.is_task);
    // In this edition, that of the macro, an opaque type captures every lifetime and type in scope: a `use<…>` could
    // not name those that are elided.
    let (coroutine, new) = match flavour.borrowing().filter(|_| !borrowed(sig).is_empty()) {
        Some(new) => (
            quote! {
                impl ::coro_core::coroutine::Coroutine<
                    Send = #send, Yield = #yields, Return = #returns, Error = #raises
                >
            },
            new,
        ),
        None => {
            let coroutine = flavour.coroutine();
            let types = quote!(<#send, #yields, #returns, #raises>);
            (quote!(#coroutine #types), quote!(#coroutine::#types::new))
        }
    };
    let closure = flavour.closure();
    let co = Ident::new("__co", Span::mixed_site());
    let co_type = flavour.co(send, yields, &raises);
    let macros = local_macros(flavour, &co, yields);
    // Never taken. The first `return` fixes the type of an `async` body, so that a mistake in it is reported where it
    // is, and not as that of the whole.
    let typed = quote_spanned! {Span::mixed_site()=>
        if let ::core::option::Option::Some(never) = ::core::option::Option::None::<#ends> {
            return never;
        }
    };
    quote! {
        #(#attributes)*
        #[doc = #summary]
        #[allow(dead_code)]
        #[track_caller]
        #vis fn #name #generics (#(#parameters),*) -> #coroutine #conditions {
            #new(#closure |#co: &mut #co_type| -> #ends {
                #macros
                #typed
                #(#moves)*
                #block
            })
        }
    }
}

/// The suspension points, as macros: the compiler finds them wherever the body puts them, in the arguments of
/// other macros too, where a rewriting of the syntax tree would not.
fn local_macros(flavour: Flavour, co: &Ident, yields: &TokenStream) -> TokenStream {
    let name = Ident::new(flavour.name(), Span::call_site());
    let suspended = flavour.suspended();
    // An operand is evaluated before `Co` is borrowed, so that it may itself suspend. What is yielded is `'static`: no
    // temporary of its expression (the guard of a `RefCell`) needs to live through the suspension. A future may
    // borrow from one; `match` keeps it.
    quote! {
        #[allow(unused_macros, unused_macro_rules)]
        macro_rules! yield_ {
            () => { #co.yield_(())#suspended };
            ($value:expr $(,)?) => {{ let value: #yields = $value; #co.yield_(value)#suspended }};
        }
        #[allow(unused_macros, unused_macro_rules)]
        macro_rules! yield_from {
            ($sub:expr $(,)?) => {{ let sub = $sub; #co.yield_from(sub)#suspended }};
            ($sub:expr, $first:expr $(,)?) => {{
                let (sub, first) = ($sub, $first);
                #co.yield_from_started(sub, first)#suspended
            }};
        }
        #[allow(unused_macros, unused_macro_rules)]
        macro_rules! wait {
            ($future:expr $(,)?) => { match $future { future => #co.wait(future)#suspended } };
        }
        #[allow(unused_macros, unused_macro_rules)]
        macro_rules! sub {
            ($($path:ident)::+ ($($arguments:tt)*)) => { $($path)::+::#name($($arguments)*) };
            ($($path:ident)::+ ::<$($types:tt),+ $(,)?> ($($arguments:tt)*)) => {
                $($path)::+::#name::<$($types),+>($($arguments)*)
            };
            ($($path:ident)::+ ::<$($types:ty),+ $(,)?> ($($arguments:tt)*)) => {
                $($path)::+::#name::<$($types),+>($($arguments)*)
            };
        }
    }
}

/// A parameter, and what moves it into the body. It is moved even if the body does not use it: it lives as long as
/// the body then, as that of an `async fn` does.
fn parameter((index, input): (usize, &FnArg)) -> (TokenStream, TokenStream) {
    let FnArg::Typed(input) = input else { unreachable!("checked before") };
    let (attributes, pattern, of_type) = (&input.attrs, &input.pat, &input.ty);
    let name = match &**pattern {
        Pat::Ident(plain) if plain.subpat.is_none() => plain.ident.clone(),
        _ => format_ident!("argument_{index}", span = Span::mixed_site()),
    };
    let parameter = quote!(#(#attributes)* #name: #of_type);
    // Twice, because `_` alone moves nothing.
    let held = Ident::new("held", Span::mixed_site());
    let moved = quote_spanned!(Span::mixed_site()=> let #held = #name; let #pattern = #held;);
    (parameter, moved)
}

/// The types in `Result<R, Thrown<E>>`: as they are written where they are, so that signatures can be read in the
/// documentation, else by asking the compiler what is behind the alias.
fn result_types(ends: &Type, is_task: bool) -> (TokenStream, TokenStream) {
    if let Some(("Result", [returns, thrown])) = last_segment(ends).as_ref().map(as_name_and_types)
        && let Some(("Thrown", [raises])) = last_segment(thrown).as_ref().map(as_name_and_types)
    {
        return (returns.to_token_stream(), raises.to_token_stream());
    }
    if is_task && let Some(("TaskResult", [returns])) = last_segment(ends).as_ref().map(as_name_and_types) {
        return (returns.to_token_stream(), quote!(::coro_core::TaskError));
    }
    let span = ends.span();
    let result = quote_spanned!(span=> <#ends as ::coro_core::coroutine::BodyResult>);
    (quote_spanned!(span=> #result::Return), quote_spanned!(span=> #result::Error))
}

type Segment<'t> = (String, Vec<&'t Type>);

fn as_name_and_types<'s, 't>((name, types): &'s Segment<'t>) -> (&'s str, &'s [&'t Type]) {
    (name, types)
}

/// The last segment of a path and the types that it is given, if it is given nothing else.
fn last_segment(of_type: &Type) -> Option<Segment<'_>> {
    let Type::Path(path) = of_type else { return None };
    let PathSegment { ident, arguments: PathArguments::AngleBracketed(arguments) } =
        path.path.segments.last()?
    else {
        return None;
    };
    let types = arguments.args.iter().map(|argument| match argument {
        GenericArgument::Type(of_type) => Some(of_type),
        _ => None,
    });
    Some((ident.to_string(), types.collect::<Option<_>>()?))
}

/// Whether an attribute belongs to the whole rather than to its functions.
fn is_of_the_namespace(attribute: &Attribute) -> bool {
    attribute.path().is_ident("doc") || attribute.path().is_ident("cfg")
}
