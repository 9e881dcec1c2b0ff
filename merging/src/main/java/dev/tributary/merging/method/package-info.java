/// The merge methods: how the weights of several experts of one base become one model's.
///
/// # How a method is made
///
/// A method is one file: a record of its parameters that implements [MergeMethod], with a
/// [MethodEntry] that names it, its paper and its options with their bounds, defaults and meaning.
/// The entry stands in [MethodCatalogue]; pool options, recipes, the model card and the tests over
/// all methods follow from it. Nothing else lists methods, and nothing switches over them.
///
/// # How a method works
///
/// For one merge it is asked once for its [MergeArithmetic], with everything it may see
/// ([MergeInputs]). Of that it is asked for one [TensorMerge] a tensor, in the plan's order: here
/// it may read the tensor as often as it likes. The [TensorMerge] then delivers the merged tensor
/// in fp32, stretch by stretch, in any order and from any thread, always with the same bits. Three
/// families share their arithmetic:
///
/// - element by element: [SparseSum] (thin each task vector out, elect signs, add up) and
///   [LinearCombination];
/// - in the span of the experts: [InnerProducts] of a tensor's vectors give one coefficient an
///   expert, then [LinearCombination];
/// - matrix by matrix: [MatrixMerge], which holds one tensor's matrices and calls [LinearAlgebra].
///
/// Two more shapes belong to methods that learn from data: [WeightedMean], in which every entry of
/// every expert has a weight of its own, and [GramSolution], the least squares of a linear layer.
///
/// Parameters that may differ from tensor to tensor are [Setting]s; [MergeTensor#value] says what
/// holds for one. What a method costs it states itself ([MergeMethod#cost]).
///
/// # How a method learns from data
///
/// It says what it needs by [MergeMethod#needs] (calibration inputs, labels) and by
/// [MergeMethod#statistics] which sums over forward or backward passes it wants of every tensor and
/// expert. They are gathered before the merge and handed over as [MergeInputs#statistics]; whether
/// a tensor has one says what it is to the model, so nothing is guessed from names. Coefficients
/// that are learnt ([LearnsCoefficients]) come as [MergeInputs#coefficient]. The arithmetic itself
/// runs no model.
@NullMarked
package dev.tributary.merging.method;

import org.jspecify.annotations.NullMarked;
