//! Puts `table.grow` into the guest `table-bomb`, since Rust has no words for it.

use std::error::Error;

use wasm_encoder::reencode::{self, Reencode, ReencodeComponent};
use wasm_encoder::{CodeSection, Component, Function, HeapType, Instruction, TableType};
use wasmparser::{FunctionBody, Operator, Parser};

/// What stands in the guest's source where the table shall grow.
const PLACE: i32 = 0x7ab1_e507;

/// How many entries it asks for at a time.
const STEP: i32 = 10_000;

#[derive(Default)]
struct Arming {
    places: usize,
}

/// The component with its constant replaced by an instruction that grows the first table.
pub(crate) fn arm(component: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut arming = Arming::default();
    let mut armed = Component::new();
    arming.parse_component(&mut armed, Parser::new(0), component)?;
    match arming.places {
        1 => Ok(armed.finish()),
        other => Err(format!("table-bomb holds its constant {other} times, not once").into()),
    }
}

impl Reencode for Arming {
    type Error = std::convert::Infallible;

    /// The linker makes tables of a fixed size.
    fn table_type(&mut self, table: wasmparser::TableType) -> Result<TableType, reencode::Error> {
        Ok(TableType { maximum: None, ..reencode::utils::table_type(self, table)? })
    }

    fn parse_function_body(&mut self, code: &mut CodeSection, body: FunctionBody<'_>) -> Result<(), reencode::Error> {
        let mut function: Function = self.new_function_with_parsed_locals(&body)?;
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            if matches!(operator, Operator::I32Const { value: PLACE }) {
                self.places += 1;
                function.instruction(&Instruction::RefNull(HeapType::FUNC));
                function.instruction(&Instruction::I32Const(STEP));
                function.instruction(&Instruction::TableGrow(0));
            } else {
                function.instruction(&self.instruction(operator)?);
            }
        }
        code.function(&function);
        Ok(())
    }
}

impl ReencodeComponent for Arming {}
