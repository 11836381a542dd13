package raft.harness.sim;

import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.Label;
import java.lang.classfile.instruction.BranchInstruction;
import java.lang.classfile.instruction.LabelTarget;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.HashSet;
import java.util.Set;

/** Puts a call of the loop guard at every jump backwards of a class. */
final class LoopGuarding {
    private static final ClassDesc GUARD = ClassDesc.of("raft.harness.sim.world.LoopGuard");
    private static final MethodTypeDesc VOID = MethodTypeDesc.of(ConstantDescs.CD_void);

    private LoopGuarding() {}

    static byte[] guarded(byte[] classFile) {
        ClassFile classes = ClassFile.of();
        return classes.transformClass(
                classes.parse(classFile),
                ClassTransform.transformingMethodBodies(CodeTransform.ofStateful(Jumps::new)));
    }

    private static final class Jumps implements CodeTransform {
        /** Only asked, never iterated. */
        private final Set<Label> passed = new HashSet<>();

        @Override
        public void accept(CodeBuilder code, CodeElement element) {
            if (element instanceof LabelTarget target) {
                passed.add(target.label());
            } else if (element instanceof BranchInstruction jump
                    && passed.contains(jump.target())) {
                code.invokestatic(GUARD, "tick", VOID);
            }
            code.with(element);
        }
    }
}
