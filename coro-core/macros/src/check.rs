//! What is refused, with advice: what would not mean the same in every flavour, or not compile in one of them.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, Error, Expr, FnArg, Item, Result, ReturnType, Signature, Token};

use crate::flavour::Flavour;
use crate::options::Options;

/// The macros that suspend.
const SUSPENDING: [&str; 3] = ["yield_", "yield_from", "wait"];

/// Checks the signature of a function that is to be a coroutine.
///
/// # Errors
///
/// All that is wrong with it, each at its place.
pub(crate) fn check_signature(options: &Options, signature: &Signature) -> Result<()> {
    let mut refused = Refused::default();
    refused.signature(signature);
    let advice = if options.is_task {
        Some(BORROWING_TASK)
    } else if options.flavours.contains(&Flavour::Fiber) {
        Some(BORROWING_FIBER)
    } else {
        None
    };
    if let Some(advice) = advice {
        for span in borrowed(signature) {
            refused.at(span, advice);
        }
    }
    refused.0.map_or(Ok(()), Err)
}

/// Where the signature says that the coroutine borrows from its maker: its lifetimes, declared and elided.
pub(crate) fn borrowed(signature: &Signature) -> Vec<Span> {
    let mut borrowed = Borrowed::default();
    borrowed.0.extend(signature.generics.lifetimes().map(|declared| declared.lifetime.span()));
    for input in &signature.inputs {
        if let FnArg::Typed(typed) = input {
            borrowed.visit_type(&typed.ty);
        }
    }
    borrowed.0
}

/// Checks the body of a function that is to be a coroutine.
///
/// # Errors
///
/// All that is wrong with it, each at its place.
pub(crate) fn check_body(body: &Block) -> Result<()> {
    let mut refused = Refused::default();
    Body(&mut refused).visit_block(body);
    refused.0.map_or(Ok(()), Err)
}

#[derive(Default)]
struct Refused(Option<Error>);

impl Refused {
    fn at(&mut self, span: Span, message: impl std::fmt::Display) {
        let error = Error::new(span, message);
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    fn signature(&mut self, signature: &Signature) {
        let qualifiers = [
            signature
                .asyncness
                .map(|token| (token.span, "`async`: each flavour brings its own way to suspend")),
            signature.constness.map(|token| (token.span, "`const`: a coroutine is made at run time")),
            signature
                .unsafety
                .map(|token| (token.span, "`unsafe`: put the unsafe part into a function of its own")),
            signature.abi.as_ref().map(|abi| (abi.extern_token.span, "`extern`: it is called from Rust")),
        ];
        for (span, advice) in qualifiers.into_iter().flatten() {
            self.at(span, format!("a coroutine is a plain `fn`, without {advice}"));
        }
        if matches!(signature.output, ReturnType::Default) {
            self.at(
                signature.ident.span(),
                "say what the body ends with: `-> Result<R, Thrown<E>>`, or `-> TaskResult<R>` for a task",
            );
        }
        if let Some(receiver) = signature.receiver() {
            self.at(
                receiver.self_token.span,
                "a coroutine is no method: take what it needs as a parameter, by value",
            );
        }
    }

    /// Refuses every suspension in `tokens`, which are not run as a part of the body.
    fn suspensions(&mut self, tokens: TokenStream, advice: &str) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => self.suspensions(group.stream(), advice),
                TokenTree::Ident(name) if SUSPENDING.iter().any(|suspending| name == suspending) => {
                    if matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == '!') {
                        self.at(name.span(), format!("`{name}!` {advice}"));
                    }
                }
                _ => {}
            }
        }
    }
}

const BORROWING_FIBER: &str = "a fiber may outlive the call that makes it, with the stack it runs on: it cannot borrow from \
     the caller, so take the value itself, an `Rc` or a `'static` reference, or leave `fiber` out of the flavours";

const BORROWING_TASK: &str = "an event loop owns its tasks: they cannot borrow from the caller, so take the value itself, \
     an `Rc` or a `'static` reference";

/// The elided lifetimes in the type of a parameter.
#[derive(Default)]
struct Borrowed(Vec<Span>);

impl<'ast> Visit<'ast> for Borrowed {
    fn visit_type_reference(&mut self, reference: &'ast syn::TypeReference) {
        if reference.lifetime.is_none() {
            self.0.push(reference.and_token.span);
        }
        visit::visit_type_reference(self, reference);
    }

    fn visit_lifetime(&mut self, lifetime: &'ast syn::Lifetime) {
        if lifetime.ident == "_" {
            self.0.push(lifetime.span());
        }
    }

    // What a callable is called with may be borrowed.
    fn visit_type_bare_fn(&mut self, _: &'ast syn::TypeBareFn) {}

    fn visit_parenthesized_generic_arguments(&mut self, _: &'ast syn::ParenthesizedGenericArguments) {}
}

struct Body<'r>(&'r mut Refused);

impl<'ast> Visit<'ast> for Body<'_> {
    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        self.0.suspensions(
            closure.body.to_token_stream(),
            "cannot suspend from inside a closure, which is not a part of the body: write a loop, or let the \
             closure collect what is handed out after it",
        );
    }

    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        self.0.suspensions(
            block.block.to_token_stream(),
            "cannot suspend from inside an `async` block, which is a future of its own: `wait!` for the future, \
             and suspend outside of it",
        );
    }

    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            // A `macro_rules` of the body's own is expanded in the body.
            Item::Macro(_) => {}
            Item::Fn(function) if function.attrs.iter().any(is_coroutine) => {}
            _ => self.0.suspensions(
                item.to_token_stream(),
                "cannot suspend from inside a nested item, which is not a part of the body: make it a coroutine \
                 of its own and write `yield_from!(sub!(name(…)))?`",
            ),
        }
    }

    fn visit_expr_await(&mut self, expression: &'ast syn::ExprAwait) {
        self.0.at(
            expression.await_token.span,
            "`.await` waits in one flavour only: write `wait!(future)?`, which waits in each",
        );
        visit::visit_expr_await(self, expression);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        // Most take expressions. What else there may be is left to the compiler.
        for expression in arguments(&call.tokens) {
            self.visit_expr(&expression);
        }
    }
}

/// The expressions that a macro is called with, if these are what it is called with.
fn arguments(tokens: &TokenStream) -> Vec<Expr> {
    let commas = Punctuated::<Expr, Token![,]>::parse_terminated;
    let semicolons = Punctuated::<Expr, Token![;]>::parse_terminated;
    let parsed = commas.parse2(tokens.clone()).map(|list| list.into_iter().collect());
    parsed
        .or_else(|_| semicolons.parse2(tokens.clone()).map(|list| list.into_iter().collect()))
        .unwrap_or_default()
}

/// Whether it is this crate's attribute, by whatever path.
fn is_coroutine(attribute: &Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == "coroutine")
}
