package raft.harness.sim;

import com.sun.source.tree.BinaryTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ExpressionStatementTree;
import com.sun.source.tree.IfTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.NewClassTree;
import com.sun.source.tree.ReturnTree;
import com.sun.source.tree.ThrowTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.WhileLoopTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreeScanner;
import com.sun.source.util.Trees;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/**
 * Small mistakes made by rule, one at a time: every comparison, condition, small number and
 * statement of a source file. What survives all seeds is either no mistake, or a gap in the
 * workload, the faults or the invariants.
 */
public final class Mutants {
    /**
     * One mistake.
     *
     * @param line in the file, from 1
     * @param what in words
     * @param text the whole file with the mistake in it
     */
    public record Mutant(String file, long line, String what, String text) {
        /** "Raft.java:120 &lt; becomes &lt;=". */
        public String words() {
            return file.substring(file.lastIndexOf('/') + 1) + ":" + line + " " + what;
        }
    }

    private Mutants() {}

    /**
     * All mutants of a file.
     *
     * @param sourceRoot the node's sources, raft-node/src/main/java
     * @param file below it
     * @throws IOException when it cannot be read or parsed
     */
    public static List<Mutant> of(Path sourceRoot, String file) throws IOException {
        String text = Files.readString(sourceRoot.resolve(file));
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        if (compiler == null) {
            throw new IOException("mutants need a JDK with its compiler, not a bare run-time");
        }
        try (var files = compiler.getStandardFileManager(null, null, null)) {
            JavacTask task =
                    (JavacTask)
                            compiler.getTask(
                                    null,
                                    files,
                                    null,
                                    List.of("-proc:none"),
                                    null,
                                    files.getJavaFileObjects(sourceRoot.resolve(file)));
            List<Mutant> mutants = new ArrayList<>();
            for (CompilationUnitTree unit : task.parse()) {
                new Maker(file, text, unit, Trees.instance(task).getSourcePositions(), mutants)
                        .scan(unit, null);
            }
            return mutants;
        }
    }

    private static final class Maker extends TreeScanner<@Nullable Void, @Nullable Void> {
        private final String file;
        private final String text;
        private final CompilationUnitTree unit;
        private final SourcePositions positions;
        private final List<Mutant> mutants;

        Maker(
                String file,
                String text,
                CompilationUnitTree unit,
                SourcePositions positions,
                List<Mutant> mutants) {
            this.file = file;
            this.text = text;
            this.unit = unit;
            this.positions = positions;
            this.mutants = mutants;
        }

        // What only words or checks are made of is left alone.

        @Override
        public @Nullable Void visitThrow(ThrowTree tree, @Nullable Void nothing) {
            return null;
        }

        @Override
        public @Nullable Void visitMethod(MethodTree tree, @Nullable Void nothing) {
            return tree.getName().contentEquals("toString")
                            || tree.getName().contentEquals("hashCode")
                    ? null
                    : super.visitMethod(tree, null);
        }

        @Override
        public @Nullable Void visitNewClass(NewClassTree tree, @Nullable Void nothing) {
            return tree.getIdentifier().toString().endsWith("Exception")
                    ? null
                    : super.visitNewClass(tree, null);
        }

        // What mistakes are made in.

        @Override
        public @Nullable Void visitBinary(BinaryTree tree, @Nullable Void nothing) {
            String left = source(tree.getLeftOperand());
            String right = source(tree.getRightOperand());
            switch (tree.getKind()) {
                case LESS_THAN -> replace(tree, left + " <= " + right, "< becomes <=");
                case LESS_THAN_EQUAL -> replace(tree, left + " < " + right, "<= becomes <");
                case GREATER_THAN -> replace(tree, left + " >= " + right, "> becomes >=");
                case GREATER_THAN_EQUAL -> replace(tree, left + " > " + right, ">= becomes >");
                case EQUAL_TO -> replace(tree, left + " != " + right, "== becomes !=");
                case NOT_EQUAL_TO -> replace(tree, left + " == " + right, "!= becomes ==");
                case CONDITIONAL_AND -> {
                    replace(tree, left, "loses '&& " + brief(right) + "'");
                    replace(tree, right, "loses '" + brief(left) + " &&'");
                }
                case CONDITIONAL_OR -> {
                    replace(tree, left, "loses '|| " + brief(right) + "'");
                    replace(tree, right, "loses '" + brief(left) + " ||'");
                }
                case PLUS -> {
                    if (!left.contains("\"") && !right.contains("\"")) {
                        replace(tree, left + " - " + right, "+ becomes -");
                    }
                }
                case MINUS -> replace(tree, left + " + " + right, "- becomes +");
                default -> {}
            }
            return super.visitBinary(tree, null);
        }

        @Override
        public @Nullable Void visitIf(IfTree tree, @Nullable Void nothing) {
            replace(
                    tree.getCondition(),
                    "(!" + source(tree.getCondition()) + ")",
                    "negates 'if " + brief(source(tree.getCondition())) + "'");
            return super.visitIf(tree, null);
        }

        @Override
        public @Nullable Void visitWhileLoop(WhileLoopTree tree, @Nullable Void nothing) {
            replace(tree.getCondition(), "(Boolean.FALSE)", "never enters a while loop");
            return super.visitWhileLoop(tree, null);
        }

        @Override
        public @Nullable Void visitReturn(ReturnTree tree, @Nullable Void nothing) {
            if (tree.getExpression() == null) {
                replace(tree, ";", "does not return");
            }
            return super.visitReturn(tree, null);
        }

        @Override
        public @Nullable Void visitLiteral(LiteralTree tree, @Nullable Void nothing) {
            if (tree.getValue() instanceof Integer number) {
                replace(tree, String.valueOf(number + 1), number + " becomes " + (number + 1));
            } else if (tree.getValue() instanceof Boolean truth) {
                replace(tree, String.valueOf(!truth), truth + " becomes " + !truth);
            }
            return null;
        }

        @Override
        public @Nullable Void visitMethodInvocation(
                MethodInvocationTree tree, @Nullable Void nothing) {
            if (tree.getMethodSelect() instanceof MemberSelectTree select
                    && select.getExpression().toString().equals("Math")) {
                String name = select.getIdentifier().toString();
                String other = name.equals("min") ? "max" : name.equals("max") ? "min" : "";
                if (!other.isEmpty()) {
                    replace(select, "Math." + other, name + " becomes " + other);
                }
            }
            return super.visitMethodInvocation(tree, null);
        }

        @Override
        public @Nullable Void visitExpressionStatement(
                ExpressionStatementTree tree, @Nullable Void nothing) {
            replace(tree, ";", "drops '" + brief(source(tree)) + "'");
            return super.visitExpressionStatement(tree, null);
        }

        private String source(Tree tree) {
            return text.substring(start(tree), end(tree));
        }

        private int start(Tree tree) {
            return (int) positions.getStartPosition(unit, tree);
        }

        private int end(Tree tree) {
            return (int) positions.getEndPosition(unit, tree);
        }

        private void replace(Tree tree, String by, String what) {
            if (start(tree) < 0 || end(tree) < start(tree)) {
                return;
            }
            mutants.add(
                    new Mutant(
                            file,
                            unit.getLineMap().getLineNumber(start(tree)),
                            what,
                            text.substring(0, start(tree)) + by + text.substring(end(tree))));
        }

        private static String brief(String words) {
            String line = words.replaceAll("\\s+", " ");
            return line.length() <= 70 ? line : line.substring(0, 70) + "…";
        }
    }
}
