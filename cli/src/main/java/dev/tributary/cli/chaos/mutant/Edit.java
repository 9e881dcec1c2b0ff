package dev.tributary.cli.chaos.mutant;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeModel;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodModel;
import java.lang.classfile.Opcode;
import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// A change of one method of a class: what makes a mutant. A method's lambdas belong to it.
sealed interface Edit {

    /// Whether it concerns a method.
    ///
    /// @return null where it does not
    @Nullable CodeTransform of(MethodModel method);

    /// A method, all of whose overloads and lambdas are meant.
    ///
    /// @param parameter the simple name of the last parameter's class, where one overload is meant;
    ///   empty for all
    record Method(String name, String parameter) {
        boolean is(MethodModel method) {
            String found = method.methodName().stringValue();
            boolean named = found.equals(name) || found.startsWith("lambda$" + name + "$");
            List<ClassDesc> parameters = method.methodTypeSymbol().parameterList();
            return named
                    && method.code().isPresent()
                    && (parameter.isEmpty()
                            || (!parameters.isEmpty()
                                    && parameters.getLast().displayName().equals(parameter)));
        }

        /// Whether it is this one and has such an instruction.
        boolean has(MethodModel method, Predicate<CodeElement> wanted) {
            return is(method)
                    && method.code().stream().flatMap(CodeModel::elementStream).anyMatch(wanted);
        }
    }

    private static Method method(String name) {
        return new Method(name, "");
    }

    /// What a method gives back at once in the place of what it would do.
    enum Value {
        NOTHING,
        FALSE,
        ZERO,
        EMPTY_LIST,
        ITSELF
    }

    /// Gives back a value at once.
    static Edit returns(String name, Value value) {
        return returns(name, "", value);
    }

    static Edit returns(String name, String parameter, Value value) {
        return new Returns(new Method(name, parameter), value);
    }

    /// Gives back one of its fields at once.
    static Edit returnsField(String name, String field) {
        return new ReturnsField(method(name), field);
    }

    /// Leaves out the calls of another method.
    static Edit skips(String name, String called) {
        return new Calls(method(name), called, Calls.How.NOT_AT_ALL);
    }

    /// Calls another method twice with the same arguments.
    static Edit repeats(String name, String called) {
        return new Calls(method(name), called, Calls.How.TWICE);
    }

    /// Calls [Wrong]'s method of that name in the place of the JDK's.
    static Edit callsWrong(String name, String called) {
        return new Calls(method(name), called, Calls.How.WRONG);
    }

    /// Has one text in the place of another.
    static Edit says(String name, String text, String instead) {
        return new Says(method(name), text, instead);
    }

    /// Does not set a field.
    static Edit keeps(String name, String field) {
        return new Keeps(method(name), field);
    }

    record Returns(Method method, Value value) implements Edit {
        @Override
        public @Nullable CodeTransform of(MethodModel model) {
            return method.is(model)
                    ? once(code -> {
                        switch (value) {
                            case NOTHING -> code.return_();
                            case FALSE -> code.iconst_0().ireturn();
                            case ZERO -> code.lconst_0().lreturn();
                            case ITSELF -> code.aload(0).areturn();
                            case EMPTY_LIST ->
                                    code.invokestatic(
                                                    ConstantDescs.CD_List,
                                                    "of",
                                                    MethodTypeDesc.of(ConstantDescs.CD_List),
                                                    true)
                                            .areturn();
                        }
                    })
                    : null;
        }
    }

    record ReturnsField(Method method, String field) implements Edit {
        @Override
        public @Nullable CodeTransform of(MethodModel model) {
            if (!method.is(model)) {
                return null;
            }
            ClassDesc owner = model.parent().orElseThrow().thisClass().asSymbol();
            ClassDesc type = model.methodTypeSymbol().returnType();
            return once(code ->
                    code.aload(0).getfield(owner, field, type).return_(TypeKind.from(type)));
        }
    }

    /// A body in the place of the method's.
    private static CodeTransform once(Consumer<CodeBuilder> body) {
        return new CodeTransform() {
            private boolean done;

            @Override
            public void accept(CodeBuilder code, CodeElement element) {
                if (!done) {
                    done = true;
                    body.accept(code);
                }
            }
        };
    }

    record Calls(Method method, String called, How how) implements Edit {
        enum How {
            NOT_AT_ALL,
            TWICE,
            WRONG
        }

        @Override
        public @Nullable CodeTransform of(MethodModel model) {
            return method.has(model, this::is)
                    ? (code, element) -> {
                        if (is(element) && element instanceof InvokeInstruction call) {
                            edit(code, call);
                        } else {
                            code.with(element);
                        }
                    }
                    : null;
        }

        private boolean is(CodeElement element) {
            return element instanceof InvokeInstruction call && call.name().equalsString(called);
        }

        private void edit(CodeBuilder code, InvokeInstruction call) {
            List<ClassDesc> taken = new ArrayList<>(call.typeSymbol().parameterList());
            if (call.opcode() != Opcode.INVOKESTATIC) {
                taken.addFirst(call.owner().asSymbol());
            }
            ClassDesc given = call.typeSymbol().returnType();
            switch (how) {
                case NOT_AT_ALL -> {
                    taken.reversed().forEach(type -> pop(code, type));
                    push(code, given);
                }
                case TWICE -> {
                    List<Integer> kept = new ArrayList<>();
                    for (ClassDesc type : taken.reversed()) {
                        int slot = code.allocateLocal(TypeKind.from(type));
                        code.storeLocal(TypeKind.from(type), slot);
                        kept.addFirst(slot);
                    }
                    for (int time = 0; time < 2; time++) {
                        for (int i = 0; i < taken.size(); i++) {
                            code.loadLocal(TypeKind.from(taken.get(i)), kept.get(i));
                        }
                        code.with(call);
                        if (time == 0) {
                            pop(code, given);
                        }
                    }
                }
                case WRONG ->
                        code.invokestatic(
                                Wrong.class.describeConstable().orElseThrow(),
                                called,
                                MethodTypeDesc.of(given, taken));
            }
        }

        private static void pop(CodeBuilder code, ClassDesc type) {
            switch (TypeKind.from(type).slotSize()) {
                case 1 -> code.pop();
                case 2 -> code.pop2();
                default -> {}
            }
        }

        private static void push(CodeBuilder code, ClassDesc type) {
            switch (TypeKind.from(type).asLoadable()) {
                case INT -> code.iconst_0();
                case LONG -> code.lconst_0();
                case FLOAT -> code.fconst_0();
                case DOUBLE -> code.dconst_0();
                case REFERENCE -> code.aconst_null();
                default -> {}
            }
        }
    }

    record Says(Method method, String text, String instead) implements Edit {
        @Override
        public @Nullable CodeTransform of(MethodModel model) {
            return method.has(model, this::is)
                    ? (code, element) -> {
                        if (is(element)) {
                            code.loadConstant(instead);
                        } else {
                            code.with(element);
                        }
                    }
                    : null;
        }

        private boolean is(CodeElement element) {
            return element instanceof ConstantInstruction constant
                    && constant.constantValue().equals(text);
        }
    }

    record Keeps(Method method, String field) implements Edit {
        @Override
        public @Nullable CodeTransform of(MethodModel model) {
            return method.has(model, this::is)
                    ? (code, element) -> {
                        if (is(element)) {
                            code.pop().pop();
                        } else {
                            code.with(element);
                        }
                    }
                    : null;
        }

        private boolean is(CodeElement element) {
            return element instanceof FieldInstruction access
                    && access.opcode() == Opcode.PUTFIELD
                    && access.name().equalsString(field);
        }
    }
}
