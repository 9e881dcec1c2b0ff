package dev.tributary.eval;

import dev.tributary.eval.scoring.EvaluationView;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.List;

/// Shows the evaluations that run and those that ran last, for progress bars.
@Path("/evaluations")
public class EvaluationsResource {

    private final EvalWorker worker;

    EvaluationsResource(EvalWorker worker) {
        this.worker = worker;
    }

    /// Running evaluations first, then the last ones, newest first.
    @GET
    @Produces(MediaType.APPLICATION_JSON)
    public List<EvaluationView> evaluations() {
        return worker.evaluations();
    }
}
