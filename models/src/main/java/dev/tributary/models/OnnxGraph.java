package dev.tributary.models;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The weights and operations of an ONNX model, read where they lie.
///
/// @param weights floating-point initialisers by name
/// @param operations in the file's order
record OnnxGraph(Map<String, Weight> weights, List<Operation> operations) {

    /// One initialiser.
    ///
    /// @param data fp32, little endian
    record Weight(List<Long> shape, MemorySegment data) {}

    /// One node of the graph.
    record Operation(String type, List<String> inputs, List<String> outputs) {}

    private static final int MODEL_GRAPH = 7;
    private static final int GRAPH_NODE = 1;
    private static final int GRAPH_INITIALIZER = 5;
    private static final int NODE_INPUT = 1;
    private static final int NODE_OUTPUT = 2;
    private static final int NODE_TYPE = 4;
    private static final int TENSOR_DIMENSION = 1;
    private static final int TENSOR_TYPE = 2;
    private static final int TENSOR_NAME = 8;
    private static final int TENSOR_RAW = 9;
    private static final int FLOAT = 1;

    static OnnxGraph read(MemorySegment file) {
        Map<String, Weight> weights = new HashMap<>();
        List<Operation> operations = new ArrayList<>();
        ProtobufReader model = new ProtobufReader(file);
        while (model.next()) {
            if (model.field() == MODEL_GRAPH) {
                ProtobufReader graph = new ProtobufReader(model.bytes());
                while (graph.next()) {
                    switch (graph.field()) {
                        case GRAPH_NODE -> operations.add(operation(graph.bytes()));
                        case GRAPH_INITIALIZER -> addWeight(graph.bytes(), weights);
                        default -> {}
                    }
                }
            }
        }
        return new OnnxGraph(weights, operations);
    }

    private static Operation operation(MemorySegment message) {
        String type = "";
        List<String> inputs = new ArrayList<>();
        List<String> outputs = new ArrayList<>();
        ProtobufReader node = new ProtobufReader(message);
        while (node.next()) {
            switch (node.field()) {
                case NODE_INPUT -> inputs.add(node.text());
                case NODE_OUTPUT -> outputs.add(node.text());
                case NODE_TYPE -> type = node.text();
                default -> {}
            }
        }
        return new Operation(type, inputs, outputs);
    }

    private static void addWeight(MemorySegment message, Map<String, Weight> weights) {
        String name = "";
        long type = 0;
        List<Long> shape = new ArrayList<>();
        MemorySegment data = MemorySegment.NULL;
        ProtobufReader tensor = new ProtobufReader(message);
        while (tensor.next()) {
            switch (tensor.field()) {
                case TENSOR_DIMENSION -> addDimensions(tensor, shape);
                case TENSOR_TYPE -> type = tensor.number();
                case TENSOR_NAME -> name = tensor.text();
                case TENSOR_RAW -> data = tensor.bytes();
                default -> {}
            }
        }
        long elements = shape.stream().reduce(1L, Math::multiplyExact);
        if (type == FLOAT && data.byteSize() == elements * Float.BYTES) {
            weights.put(name, new Weight(shape, data));
        }
    }

    private static void addDimensions(ProtobufReader tensor, List<Long> shape) {
        if (tensor.wireType() == ProtobufReader.VARINT) {
            shape.add(tensor.number());
            return;
        }
        ProtobufReader.packed(tensor.bytes()).forEach(shape::add);
    }
}
